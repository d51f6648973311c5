// sharp, one resize per size.
import sharp from "sharp";
import { serve } from "./lines.mjs";

const SIZES = [
  { width: 2048, height: 2048, fit: "inside" },
  { width: 1024, height: 1024, fit: "inside" },
  { width: 512, height: 512, fit: "inside" },
  { width: 200, height: 200, fit: "cover" },
];

sharp.concurrency(1);
sharp.cache(false); // a service sees each picture once

async function each(picture, options) {
  const outputs_px = [];
  for (const size of SIZES) {
    const { info } = await sharp(picture)
      .resize(size)
      .jpeg({ quality: 82, ...options })
      .toBuffer({ resolveWithObject: true });
    outputs_px.push([info.width, info.height]);
  }
  return outputs_px;
}

await serve({
  default: (picture) => each(picture, {}),
  unoptimised: (picture) => each(picture, { optimiseCoding: false }),
});
