// What the panel asks of the hub.

const PERSONAL = "nvr_bridge/call";

/** Why a command was refused: `code` is the engine's, or `cannot_connect`. */
export class Refused extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/** Every engine that the hub has, and what it knows of each: `entry_id`, `title`, `connected`, `things`. */
export async function engines(hass) {
  const entries = await hass.callWS({ type: "config_entries/get", domain: "nvr_bridge" });
  return await Promise.all(
    entries
      .filter((entry) => !entry.disabled_by)
      .map(async ({ entry_id, title, state }) => {
        if (state !== "loaded") return { entry_id, title, connected: false, things: {} };
        const { connected, states } = await call(hass, entry_id, "things");
        return { entry_id, title, connected, things: states };
      }),
  );
}

/** Run an engine's command → its result. Throws `Refused`. */
export async function call(hass, entryId, command, given = {}) {
  try {
    const answer = await hass.callWS({ type: PERSONAL, entry_id: entryId, command, arguments: given });
    return answer[PERSONAL]; // named, so that the hub's own log can tell it from the rest and leave it out
  } catch (error) {
    throw new Refused(error?.code ?? "error", error?.message ?? String(error));
  }
}

/** The hub's users by their ids: names for who decided what. None if the hub does not tell. */
export async function users(hass) {
  try {
    const all = await hass.callWS({ type: "config/auth/list" });
    return new Map(all.map((user) => [user.id, user.name]));
  } catch {
    return new Map();
  }
}

/** The states of this integration's entities, the objects themselves: another array of them means that something changed. */
export function shown(hass) {
  return Object.values(hass.entities ?? {})
    .filter((entity) => entity.platform === "nvr_bridge")
    .map((entity) => hass.states[entity.entity_id]);
}
