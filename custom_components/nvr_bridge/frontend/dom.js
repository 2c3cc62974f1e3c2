// Elements made from data. Text is always text: nothing here reads markup.

let fields = 0; // made so far
const SVG = "http://www.w3.org/2000/svg";

/** An HTML element. `on…` are listeners, `.name` are properties, anything else is an attribute; null and false leave it out. */
export function h(tag, properties = {}, ...children) {
  return made(document.createElement(tag), properties, children);
}

/** The same of SVG. */
export function svg(tag, properties = {}, ...children) {
  return made(document.createElementNS(SVG, tag), properties, children);
}

/** Put `children` in the place of what `parent` holds. Whoever has the focus keeps it, if its `data-key` is there again. */
export function fill(parent, ...children) {
  const focused = parent.getRootNode().activeElement;
  const key = focused && parent.contains(focused) ? focused.dataset.key : undefined;
  parent.replaceChildren(...flat(children));
  if (key !== undefined) within(parent, key)?.focus({ preventScroll: true });
}

/** The element with this `data-key`. */
export function within(parent, key) {
  return [...parent.querySelectorAll("[data-key]")].find((element) => element.dataset.key === key);
}

/** A field with its label, and a hint if there is one. `control` is an input, a select or a textarea. */
export function field(label, control, hint) {
  const name = `field-${++fields}`;
  control.id = name;
  if (hint) control.setAttribute("aria-describedby", `${name}-hint`);
  return h(
    "div",
    { class: "field" },
    h("label", { for: name }, label),
    control,
    hint && h("p", { class: "hint", id: `${name}-hint` }, hint),
  );
}

/** A choice. `options` are [value, text]. */
export function choice(name, options, properties = {}) {
  const { value, ...rest } = properties;
  const select = h("select", { name, ...rest }, options.map(([key, text]) => h("option", { value: key }, text)));
  if (value !== undefined) select.value = value;
  return select;
}

function made(element, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name.startsWith(".")) element[name.slice(1)] = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...flat(children));
  return element;
}

function flat(children) {
  return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);
}
