// @great-detail/whatsapp: what its README shows, against a number of our own.

import assert from "node:assert/strict";
import Client from "@great-detail/whatsapp";
import { PNG, run, sent, setting } from "./examples.mjs";

const sdk = new Client({
  baseUrl: setting.url,
  graphVersion: setting.version,
  request: { headers: { Authorization: `Bearer ${setting.token}` }, retry: 0 },
});
const to = setting.customer;
const phoneNumberID = setting.phone_number_id;
const businessAccountID = setting.waba_id;

async function send(content) {
  const response = await sdk.message.createMessage({ phoneNumberID, to, ...content });
  sent(await response.json());
}

const interactive = (content) => send({ type: "interactive", interactive: { body: { text: "Fresh bread?" }, ...content } });

async function uploaded() {
  const response = await sdk.media.upload({ phoneNumberID, mimeType: "image/png", file: new Blob([PNG], { type: "image/png" }) });
  return (await response.json()).id;
}

async function received(kind, secret = setting.app_secret) {
  const { body, signature } = setting.webhooks[kind];
  const headers = { "x-hub-signature-256": signature };
  const event = await sdk.webhook.eventNotification({ method: "POST", query: {}, body, headers });
  await event.verifySignature(secret);
  return event.eventNotification.entry[0].changes[0].value;
}

await run({
  "send a text": () => send({ type: "text", text: { body: "Fresh bread" } }),
  "mark as read and type": async () => {
    const status = { message_id: setting.wamid, status: "read", typing_indicator: { type: "text" } };
    const response = await sdk.message.createStatus({ phoneNumberID, ...status });
    assert.deepEqual(await response.json(), { success: true });
  },
  "send a template": () => {
    const parameters = ["Carla", "17"].map((text) => ({ type: "text", text }));
    const button = { type: "button", sub_type: "url", index: "0", parameters: [{ type: "text", text: "17" }] };
    const template = { name: "order_update", language: { code: "en_US" }, components: [{ type: "body", parameters }, button] };
    return send({ type: "template", template });
  },
  "send a template with an amount and a date": () => {
    const currency = { fallback_value: "£100", code: "GBP", amount_1000: 100_000 };
    const parameters = [{ type: "currency", currency }, { type: "date_time", date_time: { fallback_value: "2026-01-01" } }];
    const button = { type: "button", sub_type: "url", index: "0", parameters: [{ type: "text", text: "17" }] };
    const template = { name: "order_update", language: { code: "en_US" }, components: [{ type: "body", parameters }, button] };
    return send({ type: "template", template });
  },
  "send reply buttons": () => {
    const buttons = ["Yes", "No"].map((title) => ({ type: "reply", reply: { id: title, title } }));
    return interactive({ type: "button", action: { buttons } });
  },
  "send a link": () => {
    const parameters = { display_text: "Open", url: "https://bakery.example" };
    return interactive({ type: "cta_url", action: { name: "cta_url", parameters } });
  },
  "send a list of two sections": () => {
    const rows = (...titles) => titles.map((title) => ({ id: title, title, description: `Fresh ${title}` }));
    const sections = [{ title: "Bread", rows: rows("Rye", "Wheat") }, { title: "Sweet", rows: rows("Cake", "Bun") }];
    return interactive({ type: "list", action: { button: "Choose", sections } });
  },
  "upload a file": async () => assert.match(await uploaded(), /^\d+$/),
  "read a file's address and download it": async () => {
    const response = await sdk.media.getURL({ phoneNumberID, mediaID: await uploaded() });
    const request = { headers: { Authorization: `Bearer ${setting.token}` } };
    const file = await sdk.media.download({ mediaURL: (await response.json()).url, request });
    assert.deepEqual(new Uint8Array(await file.arrayBuffer()), PNG);
  },
  "download a file without a token": async () => {
    const response = await sdk.media.getURL({ phoneNumberID, mediaID: await uploaded() });
    await sdk.media.download({ mediaURL: (await response.json()).url });
  },
  "read the account": async () => {
    const response = await sdk.whatsappBusinessAccount.get(businessAccountID, { fields: ["id", "name", "currency"] });
    assert.equal((await response.json()).id, businessAccountID);
  },
  "list the numbers": async () => {
    const response = await sdk.phoneNumbers.listPhoneNumbers({ businessAccountID });
    assert.ok((await response.json()).data.length > 0);
  },
  "read a number": async () => {
    const response = await sdk.phoneNumbers.getPhoneNumber({ phoneNumberID, fields: ["id", "quality_rating", ["throughput", ["level"]]] });
    assert.equal((await response.json()).id, phoneNumberID);
  },
  "rename a number": async () => {
    const response = await sdk.phoneNumbers.updatePhoneNumber({ phoneNumberID, new_display_name: "Best Bakery" });
    assert.deepEqual(await response.json(), { success: true });
  },
  "subscribe and list the apps": async () => {
    await sdk.subscribedApps.createSubscription({ businessAccountID });
    const response = await sdk.subscribedApps.listSubscriptions({ businessAccountID });
    assert.equal((await response.json()).data.length, 1);
  },
  "list templates by name or content": async () => {
    const response = await sdk.template.list(businessAccountID, { name_or_content: "order", language: ["en_US", "de"] });
    assert.deepEqual((await response.json()).data.map((template) => template.name), ["order_update"]);
  },
  "create a template with named variables": async () => {
    const example = { body_text_named_params: [{ param_name: "name", example: "John" }] };
    const components = [{ type: "BODY", text: "Hello, {{name}}, welcome to our bakery!", example }];
    const about = { name: "welcome", language: "en_US", category: "UTILITY", parameter_format: "NAMED" };
    const response = await sdk.template.create(businessAccountID, { ...about, components });
    assert.equal((await response.json()).status, "PENDING");
  },
  "create a template without a name": async () => {
    const components = [{ type: "BODY", text: "Hello, {{name}}!" }];
    await sdk.template.create(businessAccountID, { parameter_format: "NAMED", components });
  },
  "answer a registration request": async () => {
    const query = { "hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": setting.verify_token };
    const registration = await sdk.webhook.register({ method: "GET", query, headers: {} });
    assert.equal(registration.verifyToken, setting.verify_token);
    assert.equal(registration.accept(), "1158201444");
  },
  "read a webhook with its signature": async () => {
    assert.equal((await received("text")).messages[0].text.body, "Hello");
    assert.equal((await received("status")).statuses.length, 1);
    await assert.rejects(received("text", "another secret"));
  },
});
