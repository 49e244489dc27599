// whatsapp-api-js: what its README and its tutorials show, against a number of our own.

import assert from "node:assert/strict";
import { WhatsAppAPI } from "whatsapp-api-js";
import * as m from "whatsapp-api-js/messages";
import { PNG, run, sent, setting } from "./examples.mjs";

// The library always calls graph.facebook.com; its own way in takes the call to the simulator instead.
const toSimulator = (url, options) => fetch(String(url).replace("https://graph.facebook.com", setting.url), options);
const whatsapp = new WhatsAppAPI({
  token: setting.token,
  appSecret: setting.app_secret,
  webhookVerifyToken: setting.verify_token,
  v: setting.version,
  ponyfill: { fetch: toSimulator },
});
const phone = setting.phone_number_id;
const bread = (ending) => `https://bakery.example/bread.${ending}`;
const send = async (message, ...more) => sent(await whatsapp.sendMessage(phone, setting.customer, message, ...more));
const body = new m.Body("Fresh bread?");

async function uploaded() {
  const form = new FormData();
  form.set("file", new Blob([PNG], { type: "image/png" }));
  return (await whatsapp.uploadMedia(phone, form)).id;
}

async function posted(kind, on) {
  const { body: raw, signature } = setting.webhooks[kind];
  Object.assign(whatsapp.on, { message: undefined, status: undefined }, on);
  return whatsapp.post(JSON.parse(raw), raw, signature);
}

await run({
  "send a text": () => send(new m.Text("Fresh bread https://bakery.example", true)),
  "reply to a message": () => send(new m.Text("Yes"), setting.wamid, "order-77"),
  "send to a user id": async () => sent(await whatsapp.sendMessage(phone, { bsuid: setting.customer_id }, new m.Text("Fresh bread"))),
  "react and take it back": async () => {
    await send(new m.Reaction(setting.wamid, "😀"));
    await send(new m.Reaction(setting.wamid));
  },
  "send a place": () => send(new m.Location(-0.12, 51.5, "Bakery", "London")),
  "send an image": () => send(new m.Image(bread("png"), false, "Rye")),
  "send an uploaded image": async () => send(new m.Image(await uploaded(), true, "Rye")),
  "send a video": () => send(new m.Video(bread("mp4"))),
  "send a sound": () => send(new m.Audio(bread("mp3"))),
  "send a document": () => send(new m.Document(bread("pdf"), false, "Prices", "prices.pdf")),
  "send a sticker": () => send(new m.Sticker(bread("webp"))),
  "send two contacts": () => {
    const ann = [new m.Name("Ann Li", "Ann", "Li"), new m.Address("United Kingdom", "GB", undefined, "London"), new m.Phone("+16505550100", "Work", "16505550100")];
    const ben = [new m.Name("Ben Ito", "Ben"), new m.Phone("+16505550101", "Work", "16505550101")];
    return send(new m.Contacts(ann, ben));
  },
  "send reply buttons": () => send(new m.Interactive(new m.ActionButtons(new m.Button("yes", "Yes"), new m.Button("no", "No")), body)),
  "send a list of one untitled section": () => {
    const section = new m.ListSection(undefined, new m.Row("rye", "Rye", "Dark"), new m.Row("wheat", "Wheat", "Light"));
    return send(new m.Interactive(new m.ActionList("Choose", section), body));
  },
  "send a link": () => send(new m.Interactive(new m.ActionCTA("Open", "https://bakery.example"), body)),
  "send a product": () => send(new m.Interactive(new m.ActionProduct(new m.CatalogProduct("rye", setting.catalog_id)))),
  "send several products": () => {
    const section = new m.ProductSection("Bread", new m.Product("rye"), new m.Product("wheat"));
    return send(new m.Interactive(new m.ActionProductList(setting.catalog_id, section), body, new m.Header("Bread")));
  },
  "send a catalogue": () => send(new m.Interactive(new m.ActionCatalog(new m.Product("rye")), body)),
  "send a flow": () => send(new m.Interactive(new m.ActionNavigateFlow("token", setting.flow_id, "Book", "FIRST", { name: "Ann" }), body)),
  "send a template without variables": () => send(new m.Template("hello_world", "en_US")),
  "send a template with an amount and a link": () => {
    const texts = new m.BodyComponent(new m.BodyParameter("Carla"), new m.BodyParameter(new m.Currency(1500, "USD", "$1.5")));
    return send(new m.Template("order_update", "en_US", texts, new m.URLComponent("17"), new m.PayloadComponent("thanks")));
  },
  "mark as read and type": async () => assert.deepEqual(await whatsapp.markAsRead(phone, setting.wamid, "text"), { success: true }),
  "make, read and delete a short link": async () => {
    const { code } = await whatsapp.createQR(phone, "Hello", "png");
    assert.equal((await whatsapp.retrieveQR(phone, code)).data[0].code, code);
    assert.ok((await whatsapp.retrieveQR(phone)).data.length > 0);
    assert.deepEqual(await whatsapp.deleteQR(phone, code), { success: true });
  },
  "change a short link": async () => {
    const { code } = await whatsapp.createQR(phone, "Hello");
    assert.equal((await whatsapp.updateQR(phone, code, "Good morning")).code, code);
  },
  "upload, read, download and delete a file": async () => {
    const id = await uploaded();
    const { url } = await whatsapp.retrieveMedia(id, phone);
    const file = await whatsapp.fetchMedia(url);
    assert.deepEqual(new Uint8Array(await file.arrayBuffer()), PNG);
    assert.deepEqual(await whatsapp.deleteMedia(id, phone), { success: true });
  },
  "block and unblock": async () => {
    const blocked = await whatsapp.blockUser(phone, setting.customer);
    assert.equal(blocked.block_users.added_users[0].wa_id, setting.customer);
    const unblocked = await whatsapp.unblockUser(phone, setting.customer);
    assert.equal(unblocked.block_users.removed_users[0].wa_id, setting.customer);
  },
  "answer a registration request": () => {
    const query = { "hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": setting.verify_token };
    assert.equal(whatsapp.get(query), "1158201444");
  },
  "answer a text from a webhook": async () => {
    const message = async ({ from, name, message: text, reply }) => {
      assert.deepEqual([from, name, text.text.body], [setting.customer, "Carla", "Hello"]);
      sent(await reply(new m.Text(`${name} wrote: ${text.text.body}`), true));
      return 200;
    };
    assert.equal(await posted("text", { message }), 200);
  },
  "read a status from a webhook": async () => {
    const status = ({ status: name, phone: to }) => `${name} ${to}`;
    assert.match(await posted("status", { status }), new RegExp(`^(sent|delivered) ${setting.customer}$`));
  },
});
