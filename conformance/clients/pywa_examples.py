"""pywa: what its documentation shows, against a number of our own."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import httpx
from pywa import WhatsApp, filters, types, utils
from pywa.types.templates import (
    BodyText,
    Buttons,
    FooterText,
    HeaderText,
    ParamFormat,
    QuickReplyButton,
    Template,
    TemplateCategory,
    TemplateLanguage,
    URLButton,
)

from conformance.clients.setting import Setting

BREAD = "https://bakery.example/bread.png"
PNG = b"\x89PNG\r\n\x1a\n"


class ToSimulator(httpx.HTTPTransport):
    """The library always calls graph.facebook.com; its own session takes the call to the simulator instead."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = httpx.URL(url)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.host == "graph.facebook.com":
            request.url = request.url.copy_with(scheme=self.url.scheme, host=self.url.host, port=self.url.port)
            request.headers["Host"] = f"{self.url.host}:{self.url.port}"
        return super().handle_request(request)


class Example:
    """A client for a number of our own, and what its documentation does with it."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.to = setting.customer
        self.wa = self.client()

    def client(self, **options: Any) -> WhatsApp:
        setting = self.setting
        return WhatsApp(
            phone_id=setting.phone_number_id,
            token=setting.token,
            session=httpx.Client(transport=ToSimulator(setting.url), trust_env=False),
            waba_id=setting.waba_id,
            app_id=setting.app_id,
            app_secret=setting.app_secret,
            **options,
        )

    def send_buttons(self) -> object:
        buttons = [types.Button(title="Menu", callback_data="menu"), types.Button(title="Help", callback_data="help")]
        return self.wa.send_message(to=self.to, text="How can I help?", buttons=buttons, footer="Bakery")

    def send_list(self) -> object:
        rows = [types.SectionRow(title="Rye", callback_data="rye", description="Dark"), self.plain_row()]
        choice = types.SectionList(button_title="Choose", sections=[types.Section(title="Bread", rows=rows)])
        return self.wa.send_message(to=self.to, text="Which one?", header="Bread", buttons=choice)

    def plain_row(self) -> types.SectionRow:
        return types.SectionRow(title="Croissant", callback_data="croissant")

    def send_link(self) -> object:
        button = types.URLButton(title="Open", url="https://bakery.example")
        return self.wa.send_message(to=self.to, text="Look", buttons=button)

    def send_flow(self) -> object:
        button = types.FlowButton(
            title="Book",
            flow_id=self.setting.flow_id,
            flow_token="token",
            flow_action_type=types.FlowActionType.NAVIGATE,
            flow_action_screen="FIRST",
        )
        return self.wa.send_message(to=self.to, text="Book a table", buttons=button)

    def send_contact(self) -> object:
        name = types.Contact.Name(formatted_name="Ann Li", first_name="Ann")
        phones = [types.Contact.Phone(phone="+16505550100", wa_id="16505550100", type="WORK")]
        return self.wa.send_contact(to=self.to, contact=types.Contact(name=name, phones=phones))

    def send_products(self) -> object:
        section = types.ProductsSection(title="Bread", skus=["rye", "croissant"])
        return self.wa.send_products(
            to=self.to,
            catalog_id=self.setting.catalog_id,
            product_sections=[section],
            title="Bread",
            body="Fresh today",
        )

    def download_file(self) -> None:
        media = self.wa.upload_media(media=PNG, mime_type="image/png", filename="bread.png")
        url = self.wa.get_media_url(media.id)
        assert self.wa.get_media_bytes(url=url.url) == PNG
        assert self.wa.delete_media(media.id)

    def create_and_send_template(self) -> None:
        name = f"order_{uuid.uuid4().hex[:8]}"
        header = HeaderText("Order {{order_id}} is ready", order_id="12345")
        body = BodyText("Hello {{name}}, the code of your order is {{code}}, thank you.", name="Ann", code="A1")
        link = URLButton(text="Track", url="https://bakery.example/track/{{1}}", example="12345")
        template = Template(
            name=name,
            category=TemplateCategory.UTILITY,
            language=TemplateLanguage.ENGLISH_US,
            parameter_format=ParamFormat.NAMED,
            components=[
                header,
                body,
                FooterText(text="Bakery"),
                Buttons(buttons=[link, QuickReplyButton(text="Thanks")]),
            ],
        )
        made = self.wa.create_template(template=template)
        approve(self.setting, str(made.id))
        self.wa.send_template(
            to=self.to,
            name=name,
            language=TemplateLanguage.ENGLISH_US,
            params=[
                header.params(order_id="67890"),
                body.params(name="Ben", code="B2"),
                link.params(url_variable="67890", index=0),
            ],
        )
        assert self.wa.delete_template(template_name=name)

    def list_templates(self) -> None:
        names = {template.name for template in self.wa.get_templates()}
        assert {"hello_world", "order_update"} <= names
        assert self.wa.get_template(self.setting.template_id).name == "hello_world"

    def short_links(self) -> None:
        link = self.wa.create_qr_code(prefilled_message="Hello", image_type="SVG")
        assert self.wa.get_qr_code(code=link.code)
        assert self.wa.update_qr_code(code=link.code, prefilled_message="Good morning").code == link.code
        assert [one.code for one in self.wa.get_qr_codes()] == [link.code]
        assert self.wa.delete_qr_code(code=link.code)

    def block(self) -> None:
        blocked = self.wa.block_users(users=[self.to])
        assert [user.wa_id for user in blocked.added_users] == [self.to]
        assert self.wa.unblock_users(users=[self.to])

    def list_blocked(self) -> None:
        self.wa.block_users(users=[self.to])
        try:
            assert [user.wa_id for user in self.wa.get_blocked_users()] == [self.to]
        finally:
            self.wa.unblock_users(users=[self.to])

    def profile(self) -> None:
        assert self.wa.update_business_profile(about="Fresh bread", industry=types.Industry.GROCERY)
        assert self.wa.get_business_profile().about == "Fresh bread"

    def commands(self) -> None:
        command = types.Command(name="hours", description="When we are open")
        assert self.wa.update_conversational_automation(ice_breakers=["Open?"], commands=[command])

    def verify_number(self) -> None:
        number = self.setting.unverified_id
        assert self.wa.request_verification_code(code_method="SMS", language_code="en_US", phone_id=number)
        assert self.wa.verify_phone_number(code=code_of(self.setting, number), phone_id=number)

    def register(self) -> None:
        number = self.setting.unregistered_id
        assert self.wa.register_phone_number(pin="123456", phone_id=number)
        assert self.wa.deregister_phone_number(phone_id=number)

    def handle_message(self) -> None:
        texts: list[str] = []
        wa = self.client(server=None, verify_token=self.setting.verify_token)

        def answer(client: WhatsApp, message: types.Message) -> None:
            texts.append(str(message.text))
            message.reply(f"You wrote: {message.text}")
            message.react("👍")

        wa.on_message(filters.text)(answer)
        hook = self.setting.webhooks["text"]
        assert wa.webhook_update_validator(hook.body.encode(), hook.signature) is None
        assert wa.webhook_update_handler(hook.body.encode()) == ("ok", 200)
        assert texts == ["Hello"]

    def handle_tap(self) -> None:
        assert self.handled("interactive", "on_callback_button")[0].title == "Yes"

    def handle_status(self) -> None:
        assert self.handled("status", "on_message_status")[0].status in ("sent", "delivered", "read")

    def handled(self, kind: str, decorator: str) -> list[Any]:
        """The updates that the handler of that kind was given for a webhook."""
        updates: list[Any] = []
        wa = self.client(server=None, verify_token=self.setting.verify_token)
        getattr(wa, decorator)(lambda _client, update: updates.append(update))
        wa.webhook_update_handler(self.setting.webhooks[kind].body.encode())
        return updates

    def verify_webhook(self) -> None:
        wa = self.client(server=None, verify_token=self.setting.verify_token)
        assert wa.webhook_challenge_handler(vt=self.setting.verify_token, ch="1158201444") == ("1158201444", 200)

    def signature_is_checked(self) -> None:
        hook = self.setting.webhooks["text"]
        valid = {"request_body": hook.body.encode(), "x_hub_signature": hook.signature}
        assert utils.webhook_updates_validator(app_secret=self.setting.app_secret, **valid)
        assert not utils.webhook_updates_validator(app_secret="another", **valid)


def examples(setting: Setting) -> dict[str, Callable[[], object]]:
    one = Example(setting)
    wa, to = one.wa, one.to
    return {
        "send a text": lambda: wa.send_message(to=to, text="Fresh bread https://bakery.example", preview_url=True),
        "send to a user id": lambda: wa.send_message(to=setting.customer_id, text="Fresh bread"),
        "reply to a message": lambda: wa.send_message(to=to, text="Yes", reply_to_message_id=setting.wamid),
        "send buttons": one.send_buttons,
        "send a list": one.send_list,
        "send a link": one.send_link,
        "send a flow": one.send_flow,
        "send an image by link": lambda: wa.send_image(to=to, image=BREAD, caption="Rye"),
        "send an image from bytes": lambda: wa.send_image(to=to, image=PNG, mime_type="image/png"),
        "send a video": lambda: wa.send_video(to=to, video="https://bakery.example/bread.mp4"),
        "send a document": lambda: wa.send_document(to=to, document=b"%PDF-1.4", filename="prices.pdf"),
        "send a voice note": lambda: wa.send_voice(to=to, voice=b"OggS", mime_type="audio/ogg"),
        "send a sticker": lambda: wa.send_sticker(to=to, sticker="https://bakery.example/bread.webp"),
        "send a place": lambda: wa.send_location(
            to=to, latitude=51.5, longitude=-0.12, name="Bakery", address="London"
        ),
        "ask for a place": lambda: wa.request_location(to=to, text="Where are you?"),
        "ask for the number": lambda: wa.request_contact_info(to=to, text="May we call you?"),
        "send a contact": one.send_contact,
        "send a catalogue": lambda: wa.send_catalog(to=to, body="All our bread", thumbnail_product_sku="rye"),
        "send a product": lambda: wa.send_product(to=to, catalog_id=setting.catalog_id, sku="rye", body="Rye"),
        "send several products": one.send_products,
        "react and take it back": lambda: (
            wa.send_reaction(to=to, emoji="👍", message_id=setting.wamid),
            wa.remove_reaction(to=to, message_id=setting.wamid),
        ),
        "mark as read": lambda: wa.mark_message_as_read(message_id=setting.wamid),
        "show that we type": lambda: wa.indicate_typing(message_id=setting.wamid),
        "upload, download and delete a file": one.download_file,
        "create and send a template": one.create_and_send_template,
        "list templates": one.list_templates,
        "read the account": lambda: equal(str(wa.get_business_account().id), setting.waba_id),
        "read the number": lambda: equal(str(wa.get_business_phone_number().id), setting.phone_number_id),
        "list the numbers": lambda: at_least(len(list(wa.get_business_phone_numbers())), 1),
        "read the number's settings": wa.get_business_phone_number_settings,
        "change and read the profile": one.profile,
        "change commands and ice breakers": one.commands,
        "make, change and delete a short link": one.short_links,
        "block and unblock": one.block,
        "list who is blocked": one.list_blocked,
        "verify a number": one.verify_number,
        "register and deregister a number": one.register,
        "verify a webhook": one.verify_webhook,
        "check a signature": one.signature_is_checked,
        "answer a text from a webhook": one.handle_message,
        "read a tapped button from a webhook": one.handle_tap,
        "read a status from a webhook": one.handle_status,
    }


def approve(setting: Setting, template_id: str) -> None:
    """Meta's review, by the control panel."""
    url = f"{setting.url}/control/api/templates/{template_id}"
    httpx.post(url, json={"status": "APPROVED"}, trust_env=False).raise_for_status()


def code_of(setting: Setting, phone_number_id: str) -> str:
    """What the owner of the number reads on the phone."""
    query = {"phone_number_id": phone_number_id}
    answer = httpx.get(f"{setting.url}/control/api/verification-code", params=query, trust_env=False)
    return str(json.loads(answer.text)["code"])


def equal(value: object, expected: object) -> None:
    assert value == expected, value


def at_least(value: int, least: int) -> None:
    assert value >= least, value
