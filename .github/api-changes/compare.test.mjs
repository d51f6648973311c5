import assert from "node:assert/strict";
import { test } from "node:test";
import { changes } from "./compare.mjs";

const description = () => ({
  openapi: "3.1.1",
  info: { title: "An API", version: "1" },
  paths: {
    "/jobs": {
      get: {
        parameters: [{ in: "query", name: "limit", required: false, schema: { type: "integer" } }],
        responses: {
          200: { description: "Jobs", content: { "application/json": { schema: { $ref: "#/components/schemas/Job" } } } },
        },
      },
    },
  },
  components: {
    schemas: { Job: { type: "object", required: ["id"], properties: { id: { type: "string" }, note: { type: "string" } } } },
  },
});

function broken(change) {
  const after = description();
  change(after);
  const found = changes(description(), after);
  assert.notEqual(found.length, 0, "the change was not seen");
  return found.some(({ type }) => type === "breaking");
}

test("nothing has changed", () => assert.deepEqual(changes(description(), description()), []));

for (const [name, change] of Object.entries({
  "a call is gone": (api) => delete api.paths["/jobs"].get,
  "a path is gone": (api) => delete api.paths["/jobs"],
  "an answer lacks a field": (api) => delete api.components.schemas.Job.properties.note,
  "a field has another type": (api) => (api.components.schemas.Job.properties.id.type = "integer"),
  "a parameter is asked for": (api) => (api.paths["/jobs"].get.parameters[0].required = true),
  "a new parameter is asked for": (api) =>
    api.paths["/jobs"].get.parameters.push({ in: "query", name: "of", required: true, schema: { type: "string" } }),
})) {
  test(`breaks callers: ${name}`, () => assert.equal(broken(change), true));
}

for (const [name, change] of Object.entries({
  "a new call": (api) => (api.paths["/images"] = api.paths["/jobs"]),
  "a new field in an answer": (api) => (api.components.schemas.Job.properties.more = { type: "string" }),
  "a new parameter that may be left out": (api) =>
    api.paths["/jobs"].get.parameters.push({ in: "query", name: "of", required: false, schema: { type: "string" } }),
})) {
  test(`breaks nobody: ${name}`, () => assert.equal(broken(change), false));
}
