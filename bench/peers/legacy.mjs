// What a site does that makes its pictures by itself, in Jimp: the one that the cut-over moves.
// The picture is resized in place, from the smallest size to the largest, so that the larger ones are enlarged from 300 px;
// with Jimp's default filter, in quality 100, in the format of the original.
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { Jimp } from "jimp";

const WIDTHS = { small: 300, medium: 800, large: 1200, xlarge: 2000 };

/** Jimp turns a JPEG as its EXIF says, unless it finds none. */
function withoutOrientation(bytes) {
  const found = bytes.indexOf("Exif\0\0");
  if (found >= 0) bytes.write("None", found);
  return bytes;
}

async function write({ original, folder, key, as_stored }) {
  await mkdir(dirname(join(folder, key)), { recursive: true });
  await copyFile(original, join(folder, key));
  const bytes = await readFile(original);
  const picture = await Jimp.fromBuffer(as_stored ? withoutOrientation(bytes) : bytes);
  const sizes = [];
  for (const [name, w] of Object.entries(WIDTHS)) {
    picture.resize({ w });
    const file = join(folder, key.replace("_original", `_${name}`));
    await writeFile(file, await picture.getBuffer(picture.mime, { quality: 100 }));
    sizes.push([picture.width, picture.height]);
  }
  return sizes;
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify({ outputs_px: await write(JSON.parse(line)) }));
}
