// Jimp, one read, one clone per size.
import { Jimp } from "jimp";
import { serve } from "./lines.mjs";

async function clones(picture) {
  const whole = await Jimp.read(picture);
  const images = [
    ...[2048, 1024, 512].map((side_px) => whole.clone().scaleToFit({ w: side_px, h: side_px })),
    whole.clone().cover({ w: 200, h: 200 }),
  ];
  for (const image of images) {
    await image.getBuffer("image/jpeg", { quality: 82 });
  }
  return images.map((image) => [image.width, image.height]);
}

await serve({ clones });
