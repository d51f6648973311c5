// JPEG encoders in Node: sharp, by default at quality 80, the same with mozjpeg, and Jimp, which the site calls at 100.
import { writeFile } from "node:fs/promises";
import { Jimp } from "jimp";
import sharp from "sharp";
import { serve } from "./lines.mjs";

sharp.concurrency(1);
const OPENED = new Map();

async function prepare(picture) {
  if (!OPENED.has(picture)) {
    const { data, info } = await sharp(picture).raw().toBuffer({ resolveWithObject: true });
    OPENED.clear();
    OPENED.set(picture, { data, info, jimp: await Jimp.read(picture) });
  }
}

// The ways are sharp-80, mozjpeg-80, jimp-100 and the like; what a way writes has it for a suffix.
const ENCODERS = {
  sharp: ({ data, info }, quality) => sharp(data, { raw: info }).jpeg({ quality }).toBuffer(),
  mozjpeg: ({ data, info }, quality) => sharp(data, { raw: info }).jpeg({ quality, mozjpeg: true }).toBuffer(),
  jimp: ({ jimp }, quality) => jimp.getBuffer("image/jpeg", { quality }),
};

async function encoded(picture, way) {
  const [name, quality] = way.split("-");
  const opened = OPENED.get(picture);
  await writeFile(picture.replace(/\.png$/, `.${way}`), await ENCODERS[name](opened, Number(quality)));
  return [[opened.info.width, opened.info.height]];
}

const ways = new Proxy({}, { get: (_, way) => (picture) => encoded(picture, way) });
await serve(ways, prepare);
