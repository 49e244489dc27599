/** Switchboard's API: calls typed by its document (schema.ts), with safe repeats and problems as errors. */

import type { components, paths } from "./schema";

export type Schemas = components["schemas"];
export type Message = Schemas["MessageShape"];
export type Conversation = Schemas["ConversationShape"];
export type NewMessage = Schemas["NewMessage"];
export type Problem = Schemas["Problem"];

type Method = "get" | "post" | "put" | "patch" | "delete";
type PathsWith<M extends Method> = {
  [P in keyof paths]: paths[P][M] extends object ? P : never;
}[keyof paths];
type Json<T> = T extends { content: { "application/json": infer Body } } ? Body : undefined;
type Responses<O> = O extends { responses: infer R } ? R : never;
type Answer<O> = { [S in keyof Responses<O>]: S extends 200 | 201 | 202 | 204 ? Json<Responses<O>[S]> : never }[keyof Responses<O>];
type Parts<O> = O extends { parameters: { path: infer P } } ? P : Record<string, never>;
type Query<O> = O extends { parameters: { query?: infer Q } } ? Q : never;
type Body<O> = O extends { requestBody: { content: { "application/json": infer B } } } ? B : undefined;

export interface Options<O> {
  path?: Parts<O>;
  query?: Query<O>;
  body?: Body<O>;
  headers?: Record<string, string>;
  idempotencyKey?: string;
}

export interface Settings {
  /** How often a request is repeated at most. */
  retries?: number;
  /** Milliseconds that one request may take. */
  timeout?: number;
  fetch?: typeof fetch;
  wait?: (milliseconds: number) => Promise<void>;
}

const RETRIED = new Set([429, 500, 502, 503, 504]);
// An answer that was lost may have changed something: these are safe to repeat, a POST by its Idempotency-Key.
const REPEATABLE = new Set(["GET", "PUT", "DELETE", "POST"]);
const LONGEST_WAIT = 60_000;

/** A request that was refused, as the API explains it (RFC 9457). `code` stays the same for ever. */
export class SwitchboardError extends Error {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly errors: NonNullable<Problem["errors"]>;
  readonly requestId: string | null;

  constructor(status: number, problem: Partial<Problem>, requestId: string | null) {
    super(`${status} ${problem.code ?? "unreadable_answer"}: ${problem.detail ?? problem.title ?? ""}`);
    this.name = "SwitchboardError";
    this.status = status;
    this.code = problem.code ?? "unreadable_answer";
    this.detail = problem.detail ?? "";
    this.errors = problem.errors ?? [];
    this.requestId = problem.request_id ?? requestId;
  }
}

export class Switchboard {
  readonly #key: string;
  readonly #base: string;
  readonly #settings: Required<Settings>;

  constructor(key: string, url: string, settings: Settings = {}) {
    this.#key = key;
    this.#base = `${url.replace(/\/+$/, "").replace(/\/api\/v1$/, "")}/api/v1`;
    const wait = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));
    this.#settings = { retries: 4, timeout: 30_000, fetch: (...request) => fetch(...request), wait, ...settings };
  }

  get<P extends PathsWith<"get">>(path: P, options: Options<paths[P]["get"]> = {}) {
    return this.#call<Answer<paths[P]["get"]>>("GET", path as string, options);
  }

  post<P extends PathsWith<"post">>(path: P, options: Options<paths[P]["post"]> = {}) {
    return this.#call<Answer<paths[P]["post"]>>("POST", path as string, options);
  }

  put<P extends PathsWith<"put">>(path: P, options: Options<paths[P]["put"]> = {}) {
    return this.#call<Answer<paths[P]["put"]>>("PUT", path as string, options);
  }

  patch<P extends PathsWith<"patch">>(path: P, options: Options<paths[P]["patch"]> = {}) {
    return this.#call<Answer<paths[P]["patch"]>>("PATCH", path as string, options);
  }

  delete<P extends PathsWith<"delete">>(path: P, options: Options<paths[P]["delete"]> = {}) {
    return this.#call<Answer<paths[P]["delete"]>>("DELETE", path as string, options);
  }

  /** All rows of a list, page by page. */
  async *pages<P extends PathsWith<"get">>(
    path: P,
    options: Options<paths[P]["get"]> = {},
  ): AsyncGenerator<Answer<paths[P]["get"]> extends { data: (infer Row)[] } ? Row : never> {
    let after: string | undefined;
    do {
      const query = { ...(options.query as object | undefined), after };
      const page = await this.#call<any>("GET", path as string, { ...options, query });
      yield* page.data;
      after = page.next ?? undefined;
    } while (after);
  }

  async #call<Result>(method: string, path: string, options: Options<any>): Promise<Result> {
    const parts = (options.path ?? {}) as Record<string, unknown>;
    const address = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(parts[name])));
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(options.query ?? {})) {
      for (const one of Array.isArray(value) ? value : [value]) {
        if (one !== undefined && one !== null) query.append(name, String(one));
      }
    }
    const headers: Record<string, string> = { Authorization: `Bearer ${this.#key}`, ...options.headers };
    if (options.body !== undefined) headers["Content-Type"] = "application/json";
    if (method === "POST") headers["Idempotency-Key"] = options.idempotencyKey ?? crypto.randomUUID();
    const body = options.body === undefined ? undefined : JSON.stringify(options.body);
    const url = `${this.#base}${address}${query.size ? `?${query}` : ""}`;
    for (let attempt = 0; ; attempt++) {
      const isLast = attempt >= this.#settings.retries;
      let response: Response;
      let text: string;
      try {
        const signal = AbortSignal.timeout(this.#settings.timeout);
        response = await this.#settings.fetch(url, { method, headers, body, signal });
        text = await response.text();
      } catch (error) {
        if (isLast || !REPEATABLE.has(method)) throw error;
        await this.#settings.wait(backoff(attempt));
        continue;
      }
      if (response.ok) return (text ? JSON.parse(text) : undefined) as Result;
      if (method === "DELETE" && response.status === 404 && attempt) return undefined as Result;
      const problem = readable(text);
      const wait = waitAfter(response, problem, attempt);
      if (isLast || wait === null) throw new SwitchboardError(response.status, problem, response.headers.get("Request-Id"));
      await this.#settings.wait(wait);
    }
  }
}

function readable(text: string): Partial<Problem> {
  try {
    const problem: unknown = JSON.parse(text);
    if (problem && typeof problem === "object") return problem;
  } catch {
    // Something between us and Switchboard answered.
  }
  return { detail: text.slice(0, 200) };
}

function backoff(attempt: number): number {
  return (0.5 + Math.random() / 2) * Math.min(500 * 2 ** attempt, LONGEST_WAIT);
}

/** Milliseconds until the request is worth repeating; null if it isn't. */
function waitAfter(response: Response, problem: Partial<Problem>, attempt: number): number | null {
  const isBusy = response.status === 409 && problem.code === "in_progress";
  if (!isBusy && !RETRIED.has(response.status)) return null;
  const asked = response.headers.get("Retry-After");
  if (!asked) return backoff(attempt);
  const wait = /^\d+$/.test(asked) ? Number(asked) * 1000 : Math.max(Date.parse(asked) - Date.now(), 0);
  if (Number.isNaN(wait)) return backoff(attempt);
  return wait <= LONGEST_WAIT ? wait : null;
}
