// @kapso/whatsapp-cloud-api: what its README shows of Meta's own API, against a number of our own.

import assert from "node:assert/strict";
import { buildTemplatePayload, buildTemplateSendPayload, TemplateDefinition, WhatsAppClient } from "@kapso/whatsapp-cloud-api";
import { normalizeWebhook, verifySignature } from "@kapso/whatsapp-cloud-api/server";
import { PNG, run, sent, setting } from "./examples.mjs";

const client = new WhatsAppClient({ accessToken: setting.token, baseUrl: setting.url, graphVersion: setting.version });
const phoneNumberId = setting.phone_number_id;
const businessAccountId = setting.waba_id;
const address = { phoneNumberId, to: `+${setting.customer}` };
const bread = (ending) => `https://bakery.example/bread.${ending}`;
const messages = client.messages;
const send = async (name, content) => sent(await messages[name]({ ...address, ...content }));

async function uploaded() {
  const file = new Blob([PNG], { type: "image/png" });
  return (await client.media.upload({ phoneNumberId, type: "image", file, fileName: "bread.png" })).id;
}

const normalized = (kind) => normalizeWebhook(JSON.parse(setting.webhooks[kind].body));

async function control(path, body) {
  const init = body && { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  return (await fetch(`${setting.url}/control/api/${path}`, init)).json();
}

const sale = TemplateDefinition.buildTemplateDefinition({
  name: "sale",
  language: "en_US",
  category: "MARKETING",
  parameterFormat: "NAMED",
  components: [
    { type: "HEADER", format: "TEXT", text: "Our {{sale_name}} is on!", example: { headerTextNamedParams: [{ paramName: "sale_name", example: "Summer Sale" }] } },
    { type: "BODY", text: "Until {{end_date}} with the code you know.", example: { bodyTextNamedParams: [{ paramName: "end_date", example: "Aug 31" }] } },
    { type: "FOOTER", text: "Bakery" },
    { type: "BUTTONS", buttons: [{ type: "QUICK_REPLY", text: "Unsubscribe" }] },
  ],
});

await run({
  "send a text": () => send("sendText", { body: "Fresh bread" }),
  "send to a user id": async () => sent(await messages.sendText({ phoneNumberId, recipient: setting.customer_id, body: "Fresh bread" })),
  "send to both": () => send("sendText", { recipient: setting.customer_id, body: "Fresh bread" }),
  "send a raw payload": async () => {
    const text = { messaging_product: "whatsapp", recipient_type: "individual", to: address.to, type: "text", text: { body: "Raw" } };
    sent(await messages.sendRaw({ phoneNumberId, payload: text }));
  },
  "send an image by id": async () => send("sendImage", { image: { id: await uploaded(), caption: "Rye" } }),
  "send an image by link": () => send("sendImage", { image: { link: bread("jpg"), caption: "Rye" } }),
  "send a document": () => send("sendDocument", { document: { link: bread("pdf"), filename: "prices.pdf", caption: "Prices" } }),
  "send a video": () => send("sendVideo", { video: { link: bread("mp4"), caption: "Baking" } }),
  "send a sticker": () => send("sendSticker", { sticker: { link: bread("webp") } }),
  "send a place": () => send("sendLocation", { location: { latitude: -33.45, longitude: -70.66, name: "Bakery", address: "Santiago" } }),
  "send a contact with a first name": () => {
    const name = { formattedName: "Ann Li", firstName: "Ann" };
    return send("sendContacts", { contacts: [{ name, phones: [{ phone: "+16505550100", type: "WORK" }] }] });
  },
  "send a contact with nothing but a formatted name": () => {
    const phones = [{ phone: "+16505550100", type: "WORK" }];
    return send("sendContacts", { contacts: [{ name: { formattedName: "Ann Li" }, phones }] });
  },
  "react to a message": () => send("sendReaction", { reaction: { messageId: setting.wamid, emoji: "😀" } }),
  "mark as read and type": async () => {
    const answer = await messages.markRead({ phoneNumberId, messageId: setting.wamid, typingIndicator: { type: "text" } });
    assert.equal(answer.success, true);
  },
  "send buttons under an image": async () => {
    const header = { type: "image", image: { id: await uploaded() } };
    const buttons = [{ id: "accept", title: "Accept" }, { id: "decline", title: "Decline" }];
    await send("sendInteractiveButtons", { header, bodyText: "Fresh bread?", footerText: "Bakery", buttons });
  },
  "send a list": () => {
    const sections = [{ title: "Bread", rows: [{ id: "rye", title: "Rye", description: "Dark" }, { id: "wheat", title: "Wheat" }] }];
    return send("sendInteractiveList", { bodyText: "Which one?", buttonText: "Choose", sections });
  },
  "send a link": () => {
    const header = { type: "image", image: { link: bread("png") } };
    return send("sendInteractiveCtaUrl", { header, bodyText: "See the dates", parameters: { displayText: "Open", url: "https://bakery.example?utm=wa" } });
  },
  "send a carousel": () => {
    const cards = ["one", "two"].map((name, cardIndex) => ({
      cardIndex,
      header: { type: "image", image: { link: bread(`${name}.jpg`) } },
      bodyText: `Card ${name}`,
      action: { displayText: "View", url: `https://bakery.example/${name}` },
    }));
    return send("sendInteractiveCarousel", { bodyText: "Choose", cards });
  },
  "send a catalogue": () => send("sendInteractiveCatalogMessage", { bodyText: "All our bread", parameters: { thumbnailProductRetailerId: "rye" } }),
  "send a flow": () => {
    const parameters = { flowId: setting.flow_id, flowCta: "Open", flowToken: "token", flowAction: "navigate", flowActionPayload: { screen: "WELCOME" } };
    return send("sendInteractiveFlow", { bodyText: "Book a table", parameters });
  },
  "send a template from components": () => {
    const parameters = ["Carla", "17"].map((text) => ({ type: "text", text }));
    const button = { type: "button", sub_type: "url", index: "0", parameters: [{ type: "text", text: "17" }] };
    const template = buildTemplatePayload({ name: "order_update", language: "en_US", components: [{ type: "body", parameters }, button] });
    return send("sendTemplate", { template });
  },
  "send a template from the typed builder": () => {
    const header = { type: "image", image: { link: bread("png") } };
    const body = [{ type: "text", text: "Carla", parameterName: "first_name" }];
    return send("sendTemplate", { template: buildTemplateSendPayload({ name: "summer_offer", language: "en_US", header, body }) });
  },
  "create and delete a template": async () => {
    const made = await client.templates.create({ businessAccountId, ...sale });
    assert.equal(made.status, "PENDING");
    assert.equal((await client.templates.delete({ businessAccountId, name: "sale" })).success, true);
  },
  "read a template": async () => {
    const template = await client.templates.get({ businessAccountId, templateId: setting.template_id });
    assert.equal(template.name, "hello_world");
  },
  "list templates": async () => {
    const { data } = await client.templates.list({ businessAccountId, limit: 2 });
    assert.equal(data.length, 2);
  },
  "upload, read, download and delete a file": async () => {
    const mediaId = await uploaded();
    assert.equal((await client.media.get({ mediaId, phoneNumberId })).mimeType, "image/png");
    assert.deepEqual(new Uint8Array(await client.media.download({ mediaId, phoneNumberId, auth: "always" })), PNG);
    assert.equal((await client.media.delete({ mediaId, phoneNumberId })).success, true);
  },
  "download a file without saying how": async () => {
    assert.deepEqual(new Uint8Array(await client.media.download({ mediaId: await uploaded(), phoneNumberId })), PNG);
  },
  "verify and register a number": async () => {
    const number = { phoneNumberId: setting.unverified_id };
    await client.phoneNumbers.requestCode({ ...number, codeMethod: "SMS", language: "en_US" });
    const { code } = await control(`verification-code?phone_number_id=${setting.unverified_id}`);
    await client.phoneNumbers.verifyCode({ ...number, code });
    assert.equal((await client.phoneNumbers.register({ ...number, pin: "000111" })).success, true);
    assert.equal((await client.phoneNumbers.deregister(number)).success, true);
  },
  "change and read the settings": async () => {
    await client.phoneNumbers.settings.update({ phoneNumberId, fallbackLanguage: "en_US" });
    assert.ok(await client.phoneNumbers.settings.get({ phoneNumberId }));
  },
  "change and read the profile": async () => {
    await client.phoneNumbers.businessProfile.update({ phoneNumberId, about: "Fresh bread", websites: ["https://bakery.example"] });
    assert.equal((await client.phoneNumbers.businessProfile.get({ phoneNumberId })).data[0].about, "Fresh bread");
  },
  "check a signature": () => {
    const { body, signature } = setting.webhooks.text;
    const check = (appSecret) => verifySignature({ appSecret, rawBody: body, signatureHeader: signature });
    assert.equal(check(setting.app_secret), true);
    assert.equal(check("another secret"), false);
  },
  "read messages from webhooks": () => {
    const [text] = normalized("text").messages;
    assert.deepEqual([text.text.body, text.from, text.kapso.direction], ["Hello", setting.customer, "inbound"]);
    assert.equal(normalized("text").contacts[0].userId, setting.customer_id);
    assert.equal(normalized("interactive").messages[0].interactive.buttonReply.title, "Yes");
  },
  "read statuses from webhooks": () => {
    const [status] = normalized("status").statuses;
    assert.ok(["sent", "delivered"].includes(status.status));
    assert.equal(status.recipientUserId, setting.customer_id);
  },
});
