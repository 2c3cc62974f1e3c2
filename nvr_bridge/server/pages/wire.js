// The engine's WebSocket, as a page speaks it: whoever holds the token gives commands and hears results.
import { Refused } from "./frame.js";

const SCHEMA = 1;
const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 30000;

/** One connection after the other for as long as the token is good. */
export class Wire {
  #token;
  #told;
  #socket = null;
  #waiting = new Map();
  #last = 0;
  #pause = FIRST_PAUSE;

  /** `told` is called with "open", "lost" (it tries again by itself) and "ended" (the token opens nothing any more). */
  constructor(token, told) {
    this.#token = token;
    this.#told = told;
    this.#connect();
  }

  /** Give a command. → its result; throws `Refused`. */
  call(type, args = {}) {
    if (this.#socket === null) return Promise.reject(new Refused("unreachable", "not connected"));
    const id = ++this.#last;
    this.#socket.send(JSON.stringify({ id, type, ...args }));
    return new Promise((done, refuse) => this.#waiting.set(id, { done, refuse }));
  }

  #connect() {
    const socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/ws`);
    let open = false;
    let ended = false;
    socket.addEventListener("message", (event) => {
      const said = JSON.parse(event.data);
      if (said.type === "hello") {
        socket.send(JSON.stringify({ type: "auth", schema: SCHEMA, token: this.#token }));
      } else if (said.type === "auth_ok") {
        open = true;
        this.#pause = FIRST_PAUSE;
        this.#socket = socket;
        this.#told("open");
      } else if (said.type === "auth_failed") {
        ended = true;
      } else if (said.type === "result") {
        this.#answer(said);
      }
    });
    socket.addEventListener("close", (event) => {
      this.#socket = null;
      for (const { refuse } of this.#waiting.values()) refuse(new Refused("unreachable", "the connection was lost"));
      this.#waiting.clear();
      // 1008: the engine closed it because of who this is.
      if (ended || (open && event.code === 1008)) {
        this.#told("ended");
        return;
      }
      this.#told("lost");
      setTimeout(() => this.#connect(), this.#pause);
      this.#pause = Math.min(2 * this.#pause, LONGEST_PAUSE);
    });
  }

  #answer(said) {
    const command = this.#waiting.get(said.id);
    if (command === undefined) return;
    this.#waiting.delete(said.id);
    if (said.success) command.done(said.result);
    else command.refuse(new Refused(said.error.code, said.error.message));
  }
}
