// node out/walk.js ADDRESS KEY: what a program of a stranger does in its first afternoon.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";

import createClient from "openapi-fetch";

import type { components, paths } from "./botschaft.d.ts";

type Suggestion = components["schemas"]["SuggestionBody"];

const [, , baseUrl, key] = process.argv;
if (!baseUrl || !key) throw new Error("node out/walk.js ADDRESS KEY");
const api = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${key}` } });

/** What an answer holds; a refusal ends the walk with its words. */
function good<T>(answer: { data?: T; error?: unknown; response: Response }): T {
  assert.ok(answer.data !== undefined, `${answer.response.status} ${JSON.stringify(answer.error)}`);
  return answer.data;
}

async function everySuggestion(): Promise<Suggestion[]> {
  const found: Suggestion[] = [];
  let cursor: string | null | undefined;
  do {
    const query = cursor ? { limit: 2, cursor } : { limit: 2 };
    const page = good(await api.GET("/suggestions", { params: { query } }));
    assert.ok(page.items.length <= 2);
    found.push(...page.items);
    cursor = page.next;
  } while (cursor);
  return found;
}

const token = good(await api.GET("/token"));
assert.equal(token.kind, "personal");

const suggestions = await everySuggestion();
assert.equal(new Set(suggestions.map((row) => row.id)).size, suggestions.length);
const whole = good(await api.GET("/suggestions", { params: { query: { limit: 200 } } }));
assert.deepEqual(whole.items.map((row) => row.id), suggestions.map((row) => row.id));

const situation = good(await api.GET("/situation"));
assert.equal(situation.everything_held, false);

// Writing: twice the same request is one draft.
const topic = suggestions[0]?.topic;
assert.ok(topic);
const once = { "Idempotency-Key": randomUUID() };
const body = { topic, title: "From a program", wordings: [{ text: "A sentence. [your part]" }] };
const first = await api.POST("/drafts", { params: { header: once }, body });
const again = await api.POST("/drafts", { params: { header: once }, body });
const draft = good(first);
assert.equal(good(again).id, draft.id);
assert.equal(draft.state, "draft");

// Changing: only what was read last.
const etag = first.response.headers.get("ETag");
assert.ok(etag);
const path = { id: draft.id };
const change = (match: string, title: string) =>
  api.PATCH("/drafts/{id}", {
    params: { path, header: { "Idempotency-Key": randomUUID(), "If-Match": match } },
    body: { title },
  });
const changed = await change(etag, "From a program, better");
assert.equal(good(changed).title, "From a program, better");
const late = await change(etag, "Too late");
assert.equal(late.response.status, 412);
assert.equal(late.error?.status, 412);

// A refusal names the field.
const wrong = await api.POST("/drafts", {
  params: { header: { "Idempotency-Key": randomUUID() } },
  body: { topic, title: " " },
});
assert.equal(wrong.response.status, 422);
assert.ok(wrong.error?.errors?.some((one) => one.field === "title"));

const handed = await api.POST("/drafts/{id}/review", {
  params: {
    path,
    header: {
      "Idempotency-Key": randomUUID(),
      "If-Match": changed.response.headers.get("ETag") ?? "",
    },
  },
});
assert.equal(good(handed).state, "in_review");

// A hold takes effect before it is answered.
const target = suggestions[0];
assert.ok(target);
const held = await api.POST("/suggestions/{id}/hold", {
  params: { path: { id: target.id }, header: { "Idempotency-Key": randomUUID() } },
  body: { reason: "A program saw something." },
});
assert.equal(good(held).scope, "suggestion");
const gone = await api.GET("/suggestions/{id}", { params: { path: { id: target.id } } });
assert.equal(gone.response.status, 404);
assert.ok(!(await everySuggestion()).some((row) => row.id === target.id));

console.log(`${suggestions.length} suggestions read, a draft written, changed and handed in, a hold set.`);
