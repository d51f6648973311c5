"use strict";
// The page at /docs: Swagger UI, which sends nothing that nobody filled in, and shows errors one line each.

const mount = document.getElementById("swagger-ui");

const dark = matchMedia("(prefers-color-scheme: dark)");
const followTheme = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", followTheme);
followTheme();

// Swagger UI fills parameters with their defaults and fields of forms with samples, such as the word "string".
// It would also send fields that are empty, unless a box beside each is unchecked.
const OnlyWhatIsFilledIn = () => ({
  wrapComponents: { ParameterIncludeEmpty: () => () => null },
  statePlugins: { spec: { wrapActions: { updateJsonSpec: (update) => (document) => update(tellDefaults(document)) } } },
  afterLoad() {
    const { getSampleSchema, getSchemaObjectType } = this.fn;
    // Of a field in a form it asks for no media type.
    this.fn.getSampleSchema = (schema, type, ...more) => {
      if (type !== false) return getSampleSchema(schema, type, ...more);
      return getSchemaObjectType(schema) === "array" ? "[]" : "";
    };
  },
});

function tellDefaults(document) {
  for (const call of Object.values(document.paths).flatMap(Object.values)) {
    for (const parameter of call.parameters ?? []) {
      if (parameter.schema?.default === undefined) continue;
      parameter.description = `${parameter.description ?? ""} Default: \`${parameter.schema.default}\`.`;
      delete parameter.schema.default;
    }
  }
  return document;
}

// One line for each error, with a real answer behind it.
const ErrorsInLines = ({ React }) => ({
  wrapComponents: {
    response: (Response) => (props) => {
      const examples = props.response.getIn(["content", "application/problem+json", "examples"]);
      if (!examples) return React.createElement(Response, props);
      const lines = examples.entrySeq().map(([code, example]) => errorLine(React, props, code, example.toJS()));
      return React.createElement(
        "tr",
        { className: "response problem", "data-code": props.code },
        React.createElement("td", { className: "response-col_status" }, props.code),
        React.createElement("td", { className: "response-col_description" }, lines),
      );
    },
  },
});

function errorLine(React, { getComponent }, code, { summary, value }) {
  const Code = getComponent("HighlightCode", true);
  const page = `/docs/problems/${code}`;
  return React.createElement(
    "details",
    { key: code },
    React.createElement("summary", null, React.createElement("code", null, code), ` ${summary}`),
    React.createElement(Code, { className: "example", language: "json" }, JSON.stringify(value, null, 2)),
    React.createElement("a", { href: page }, "What it means, and what to do"),
  );
}

// A padlock where a credential may be left out would lock nothing.
const PadlocksThatLock = () => ({
  wrapComponents: {
    OperationSummary: (Summary, { React }) => (props) => {
      const security = props.operationProps.get("security");
      const isOpen = security?.some((needed) => needed.isEmpty());
      const operationProps = isOpen ? props.operationProps.delete("security") : props.operationProps;
      return React.createElement(Summary, { ...props, operationProps });
    },
  },
});

function withCsrfToken(request) {
  const changes = !["GET", "HEAD", undefined].includes(request.method);
  if (changes && new URL(request.url, location.href).origin === location.origin) {
    request.headers[mount.dataset.csrfHeader] = mount.dataset.csrfToken;
  }
  return request;
}

SwaggerUIBundle({
  url: mount.dataset.schemaUrl,
  domNode: mount,
  presets: [SwaggerUIBundle.presets.apis],
  plugins: [OnlyWhatIsFilledIn, ErrorsInLines, PadlocksThatLock],
  layout: "BaseLayout",
  requestInterceptor: withCsrfToken,
  ...JSON.parse(mount.dataset.settings),
});
