// node compare.mjs BEFORE.json AFTER.json: what changed between two descriptions of the API. Exit code 1 where a change
// breaks callers: something is gone, or something new is asked for.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { apiCompare } from "api-smart-diff";

export function changes(before, after) {
  // Parts that calls share are compared in each call that has them, by the side that they stand on.
  const { diffs } = apiCompare(before, after);
  return diffs
    .filter(({ path }) => path[0] === "paths")
    .map((diff) => ({ type: takesAway(diff) ? "breaking" : diff.type, action: diff.action, what: diff.path.join(" ") }));
}

// The package calls it harmless when an answer lacks a field that it need not have had, and when a type is another one;
// callers that read it break all the same.
function takesAway({ action, path }) {
  const isField = path.at(-2) === "properties" && action === "remove";
  const isType = ["type", "format"].includes(path.at(-1)) && path.at(-2) !== "properties" && action === "replace";
  return path.includes("responses") && (isField || isType);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const [before, after] = process.argv.slice(2).map((file) => JSON.parse(readFileSync(file)));
  const found = changes(before, after);
  const breaking = found.filter(({ type }) => type === "breaking");
  for (const { type, action, what } of [...breaking, ...found.filter(({ type }) => type === "non-breaking")]) {
    console.log(`${type}: ${action} ${what}`);
  }
  console.log(`${found.length} changes, ${breaking.length} of them breaking`);
  process.exitCode = breaking.length ? 1 : 0;
}
