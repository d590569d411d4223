//! By Telegram: long polling, and the webhook with its secret.

use portevoix_conformance::fakes::{BotApi, SentByBot};
use serde_json::{Value, json};

use crate::harness::{
    http,
    stage::{Database, NO_EMAIL, NO_SMS, Stage, on_both_databases, opened},
    wait_for, wait_until,
};

on_both_databases!(
    an_answer_comes_back_by_polling,
    an_answer_comes_back_by_webhook,
    an_edit_amends_and_retirer_withdraws,
    stop_ends_the_chat_and_is_confirmed_once,
);

const ADA: i64 = 1001;
const BOB: i64 = 1002;
const SECRET: &str = "a-secret_of-the-webhook";
const PUBLIC: &str = "https://participation.lillemetropole.example";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Polling,
    Webhook,
}

struct Chats {
    stage: Stage,
    bot: BotApi,
    mode: Mode,
}

impl Chats {
    async fn start(database: Database, mode: Mode) -> Self {
        let bot = BotApi::start().await;
        let name = if mode == Mode::Polling { "polling" } else { "webhook" };
        let settings = format!(
            "{NO_EMAIL}{NO_SMS}\n[telegram]\nprovider = \"bot\"\ntoken = \"{}\"\napi_url = \"{}\"\n\
             mode = \"{name}\"\nwebhook_secret = \"{SECRET}\"\nbot_name = \"portevoix_test_bot\"\n",
            bot.token(),
            bot.url()
        );
        let public = [("PORTEVOIX_HTTP__PUBLIC_URL", PUBLIC)];
        let stage = Stage::start(database, &settings, &public).await;
        stage
            .register(&[
                &format!("a,,,{ADA},59350,,telegram"),
                &format!("b,,,{BOB},59350,,telegram"),
            ])
            .await;
        Self { stage, bot, mode }
    }

    /// Telegram brings an update: it waits to be fetched, or is pushed.
    async fn bring(&self, update: &Value) {
        if self.mode == Mode::Webhook {
            let status = self.push(update, Some(SECRET)).await;
            assert_eq!(status, 200);
        }
    }

    async fn push(&self, update: &Value, secret: Option<&str>) -> u16 {
        let url = format!("{}/hooks/telegram", self.stage.daemon.url());
        let mut request = http().post(url).json(update);
        if let Some(secret) = secret {
            request = request.header("X-Telegram-Bot-Api-Secret-Token", secret);
        }
        request.send().await.unwrap().status().as_u16()
    }

    async fn say(&self, chat: i64, text: &str, reply_to: Option<i64>) -> Value {
        let update = self.bot.say(chat, text, reply_to);
        self.bring(&update).await;
        update
    }

    fn sent(&self, chat: i64) -> Vec<SentByBot> {
        self.bot.sent().into_iter().filter(|sent| sent.chat_id == chat).collect()
    }

    /// Waits for the `count`th message to a chat; there must be no more.
    async fn message(&self, chat: i64, count: usize) -> SentByBot {
        let sent = wait_for(&format!("message {count} to chat {chat}"), async || {
            let sent = self.sent(chat);
            (sent.len() >= count).then_some(sent)
        })
        .await;
        assert_eq!(sent.len(), count, "{sent:#?}");
        sent.into_iter().next_back().unwrap()
    }
}

/// The data of the button that shows this label.
fn button(message: &SentByBot, label: &str) -> String {
    let rows = message.params["reply_markup"]["inline_keyboard"].as_array().unwrap();
    let mut buttons = rows.iter().filter_map(Value::as_array).flatten();
    let found = buttons
        .find(|button| button["text"].as_str().is_some_and(|text| text.contains(label)))
        .unwrap_or_else(|| panic!("no button {label} in {rows:?}"));
    found["callback_data"].as_str().unwrap().to_owned()
}

async fn an_answer_comes_back_by_polling(database: Database) {
    let chats = Chats::start(database, Mode::Polling).await;
    there_and_back(&chats).await;
    // the offset went on behind the last update, and the button stopped turning
    let last = chats.say(BOB, "Des bancs", None).await["update_id"].as_i64().unwrap();
    wait_until("the update is confirmed", async || chats.bot.confirmed() > last).await;
    wait_until("the press is answered", async || chats.bot.answered_callbacks().len() == 1).await;
}

async fn an_answer_comes_back_by_webhook(database: Database) {
    let chats = Chats::start(database, Mode::Webhook).await;
    let hook = chats.bot.webhook().unwrap();
    assert_eq!(hook.url, format!("{PUBLIC}/hooks/telegram"));
    assert_eq!(hook.secret.as_deref(), Some(SECRET));
    there_and_back(&chats).await;

    let update = chats.bot.say(BOB, "Des bancs", None);
    for secret in [None, Some("another-secret-entirely")] {
        let status = chats.push(&update, secret).await;
        assert!((400..500).contains(&status), "{status}");
    }
    // Telegram brings again what it thinks was not taken
    for _ in 0..2 {
        assert_eq!(chats.push(&update, Some(SECRET)).await, 200);
    }
    chats.say(ADA, "Encore des jeux", None).await;
    let told = chats.stage.told("contributions.received", 3).await;
    assert_eq!(told[1]["data"]["text"], "Des bancs");
    assert_eq!(told[2]["data"]["text"], "Encore des jeux");
}

async fn there_and_back(chats: &Chats) {
    chats.stage.publish(&opened("parc-sud", "Un parc au sud")).await;
    let launch = chats.message(ADA, 1).await;
    assert!(launch.text.contains("Un parc au sud"), "{}", launch.text);
    chats.stage.settled("parc-sud-ouverture", "sent", 2).await;

    let press = chats.bot.press(ADA, launch.message_id, &button(&launch, "Des jeux"));
    chats.bring(&press).await;
    let told = chats.stage.told("contributions.received", 1).await;
    let data = &told[0]["data"];
    assert_eq!(
        (&data["channel"], &data["consultation_id"], &data["in_reply_to"], &data["answer"]),
        (&json!("telegram"), &json!("parc-sud"), &json!("parc-sud-ouverture"), &json!("2"))
    );
    assert_eq!(data["text"], "Des jeux");
    let receipt = chats.message(ADA, 2).await;
    for part in ["PV-", "Espaces verts", "verts@lillemetropole.example", "Des jeux"] {
        assert!(receipt.text.contains(part), "no {part} in {}", receipt.text);
    }
    assert_eq!(chats.sent(BOB).len(), 1);
}

async fn an_edit_amends_and_retirer_withdraws(database: Database) {
    let chats = Chats::start(database, Mode::Polling).await;
    chats.stage.publish(&opened("parc-sud", "Un parc au sud")).await;
    let launch = chats.message(ADA, 1).await;
    let said = chats.say(ADA, "Il faut des bans", Some(launch.message_id)).await;
    let first = chats.stage.told("contributions.received", 1).await;
    let id = &first[0]["data"]["contribution_id"];
    chats.message(ADA, 2).await;

    let mut edited = said["message"].clone();
    edited["text"] = json!("Il faut des bancs");
    edited["edit_date"] = json!(1_795_435_260);
    chats.bot.push_update(json!({ "edited_message": edited }));
    let amended = chats.stage.told("contributions.amended", 1).await;
    assert_eq!(&amended[0]["data"]["contribution_id"], id);
    assert_eq!(amended[0]["data"]["text"], "Il faut des bancs");
    let receipt = chats.message(ADA, 3).await;
    assert!(receipt.text.contains("modifiée"), "{}", receipt.text);

    chats.say(ADA, "RETIRER", None).await;
    let withdrawn = chats.stage.told("contributions.withdrawn", 1).await;
    assert_eq!(&withdrawn[0]["data"]["contribution_id"], id);
    assert_eq!(withdrawn[0]["data"]["text"], "");
    let receipt = chats.message(ADA, 4).await;
    assert!(receipt.text.contains("retirée"), "{}", receipt.text);
    chats.stage.told("contributions.received", 1).await;
}

async fn stop_ends_the_chat_and_is_confirmed_once(database: Database) {
    let chats = Chats::start(database, Mode::Polling).await;
    chats.stage.publish(&opened("parc-sud", "Un parc au sud")).await;
    chats.message(ADA, 1).await;
    chats.stage.settled("parc-sud-ouverture", "sent", 2).await;
    chats.say(ADA, "/stop", None).await;
    let confirmed = chats.message(ADA, 2).await;
    assert!(confirmed.text.contains("vous ne recevrez plus"), "{}", confirmed.text);
    chats.say(ADA, "Stop", None).await;
    let left = chats.stage.told("citizens.left", 1).await;
    assert_eq!(left[0]["data"]["channel"], "telegram");

    chats.stage.publish(&opened("piscine", "Une piscine")).await;
    let event = chats.stage.settled("piscine-ouverture", "sent", 1).await;
    assert_eq!(event["planned"], 1);
    chats.message(BOB, 2).await;
    chats.message(ADA, 2).await;

    // who blocks the bot is not written to either, and gets no word of it
    let chat = json!({ "id": BOB, "type": "private", "first_name": "Zoé" });
    let bot = json!({ "id": 123_456_789, "is_bot": true, "first_name": "Porte-voix" });
    chats.bot.push_update(json!({ "my_chat_member": {
        "chat": chat, "from": { "id": BOB, "is_bot": false, "first_name": "Zoé" },
        "date": 1_795_435_300, "old_chat_member": { "user": bot, "status": "member" },
        "new_chat_member": { "user": bot, "status": "kicked", "until_date": 0 },
    } }));
    chats.stage.told("citizens.left", 2).await;
    assert_eq!(chats.sent(BOB).len(), 2);
}
