"use strict";

const { createHmac, timingSafeEqual } = require("node:crypto");

const PATH = "/webhook-subscriptions";
// Standard Webhooks: a request that was signed longer ago may be an old one that somebody sends again.
const TOLERANCE_SECONDS = 5 * 60;

/** Calls the API. Statuses other than 2xx and `expected` throw what the API says is wrong. */
async function call(context, method, path, { body, expected = [] } = {}) {
  const { url } = await context.getCredentials("switchboardApi");
  const answer = await context.helpers.httpRequestWithAuthentication.call(context, "switchboardApi", {
    method,
    url: `${url.replace(/\/+$/, "")}/api/v1${path}`,
    ...(body && { body }),
    json: true,
    returnFullResponse: true,
    ignoreHttpStatusErrors: true,
  });
  if (answer.statusCode < 300 || expected.includes(answer.statusCode)) return answer;
  const problem = answer.body || {};
  const details = (problem.errors || []).map((one) => one.detail).join(" ");
  throw new Error(details || problem.detail || problem.title || `Switchboard answered with ${answer.statusCode}`);
}

/** Whether a request is Switchboard's, by Standard Webhooks. */
function isSigned(secret, headers, body, now = Date.now()) {
  const { "webhook-id": id = "", "webhook-timestamp": timestamp = "", "webhook-signature": signatures = "" } = headers;
  if (!(Math.abs(now / 1000 - Number(timestamp)) <= TOLERANCE_SECONDS)) return false;
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const wanted = createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest();
  return signatures.split(" ").some((one) => {
    const given = one.startsWith("v1,") ? Buffer.from(one.slice(3), "base64") : Buffer.alloc(0);
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  });
}

const same = (left, right) => JSON.stringify([...left].sort()) === JSON.stringify([...right].sort());

class SwitchboardTrigger {
  description = {
    displayName: "Switchboard Trigger",
    name: "switchboardTrigger",
    icon: "file:../../icons/switchboard.svg",
    group: ["trigger"],
    version: 1,
    subtitle: '={{$parameter["events"].join(", ")}}',
    description: "Starts the workflow when something happens in Switchboard",
    defaults: { name: "Switchboard Trigger" },
    inputs: [],
    outputs: ["main"],
    credentials: [{ name: "switchboardApi", required: true }],
    webhooks: [{ name: "default", httpMethod: "POST", responseMode: "onReceived", path: "webhook" }],
    properties: [
      {
        displayName: "Event Names or IDs",
        name: "events",
        type: "multiOptions",
        typeOptions: { loadOptionsMethod: "eventTypes" },
        required: true,
        default: ["message.received"],
        description:
          'Choose from the list, or specify IDs using an <a href="https://docs.n8n.io/code/expressions/">expression</a>',
      },
    ],
  };

  methods = {
    loadOptions: {
      async eventTypes() {
        const { body } = await call(this, "GET", "/event-types");
        return body.data.map(({ type, description }) => ({ name: description, value: type, description: type }));
      },
    },
  };

  webhookMethods = {
    default: {
      /** One for another address or other events than are wanted now is ended, so that n8n creates it anew. */
      async checkExists() {
        const stored = this.getWorkflowStaticData("node");
        if (!stored.subscriptionId) return false;
        const answer = await call(this, "GET", `${PATH}/${stored.subscriptionId}`, { expected: [404] });
        const isThere = answer.statusCode !== 404;
        const { target_url: url, events } = answer.body || {};
        if (isThere && url === this.getNodeWebhookUrl("default") && same(events || [], this.getNodeParameter("events"))) {
          return true;
        }
        if (isThere) await call(this, "DELETE", `${PATH}/${stored.subscriptionId}`, { expected: [404] });
        delete stored.subscriptionId;
        delete stored.secret;
        return false;
      },

      async create() {
        const wanted = { target_url: this.getNodeWebhookUrl("default"), events: this.getNodeParameter("events") };
        const { body } = await call(this, "POST", PATH, { body: wanted });
        Object.assign(this.getWorkflowStaticData("node"), { subscriptionId: body.id, secret: body.secret });
        return true;
      },

      async delete() {
        const stored = this.getWorkflowStaticData("node");
        if (!stored.subscriptionId) return true;
        await call(this, "DELETE", `${PATH}/${stored.subscriptionId}`, { expected: [404] });
        delete stored.subscriptionId;
        delete stored.secret;
        return true;
      },
    },
  };

  async webhook() {
    const { secret } = this.getWorkflowStaticData("node");
    const { rawBody } = this.getRequestObject();
    if (!secret || !rawBody || !isSigned(secret, this.getHeaderData(), rawBody)) {
      this.getResponseObject().status(401).send("The signature is wrong.").end();
      return { noWebhookResponse: true };
    }
    return { workflowData: [this.helpers.returnJsonArray([this.getBodyData()])] };
  }
}

module.exports = { SwitchboardTrigger };
