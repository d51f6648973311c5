// The loop of the programs in Node; `lines.py` is that of the others.
import { createInterface } from "node:readline";

// `prepare` is called with each picture before the clock starts.
export async function serve(ways, prepare = async () => {}) {
  for await (const line of createInterface({ input: process.stdin })) {
    const { way, picture } = JSON.parse(line);
    await prepare(picture);
    const started = process.cpuUsage();
    const outputs_px = await ways[way](picture);
    const { user, system } = process.cpuUsage(started); // microseconds, of all threads
    console.log(JSON.stringify({ cpu_s: (user + system) / 1e6, outputs_px }));
  }
}
