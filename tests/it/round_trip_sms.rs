//! By text message: through OVHcloud, which is polled, and Twilio, which calls.

use serde_json::json;

use crate::harness::{
    ovh::{self, Ovh},
    stage::{Database, NO_EMAIL, NO_TELEGRAM, Stage, on_both_databases, opened},
    twilio::{self, Twilio},
    wait_for, wait_until,
};

on_both_databases!(
    an_answer_comes_back_by_ovh,
    an_answer_comes_back_by_twilio,
    two_open_consultations_are_asked_about,
    stop_ends_texts_and_is_confirmed_once,
);

const ADA: &str = "+33612345678";
const BOB: &str = "+33612345679";
const SHORT: &str = "38123";

/// A strict fake of a provider; what tells them apart, and nothing else.
enum Provider {
    Ovh(Ovh),
    Twilio(Twilio),
}

impl Provider {
    fn settings(&self) -> String {
        let (name, own) = match self {
            Self::Ovh(ovh) => (
                "ovh",
                format!(
                    "endpoint = \"{}\"\napplication_key = \"{}\"\napplication_secret = \"{}\"\n\
                     consumer_key = \"{}\"\nservice_name = \"{}\"\npoll_every = \"2s\"\n\
                     callback_secret = \"{SECRET}\"\n",
                    ovh.url,
                    ovh::APPLICATION_KEY,
                    ovh::APPLICATION_SECRET,
                    ovh::CONSUMER_KEY,
                    ovh::SERVICE
                ),
            ),
            Self::Twilio(twilio) => (
                "twilio",
                format!(
                    "account_sid = \"{}\"\nauth_token = \"{}\"\nfrom = \"{SHORT}\"\napi_url = \"{}\"\n",
                    twilio::ACCOUNT,
                    twilio::TOKEN,
                    twilio.url
                ),
            ),
        };
        format!(
            "[sms]\nprovider = \"{name}\"\nquiet_hours = false\nper_second = 0.0\n[sms.{name}]\n{own}"
        )
    }

    /// Every text to a number, in order, with the provider's id.
    fn texts(&self, number: &str) -> Vec<(String, String)> {
        match self {
            Self::Ovh(ovh) => ovh
                .jobs()
                .into_iter()
                .filter(|(_, job)| job.receivers == [number])
                .map(|(id, job)| (id.to_string(), job.message))
                .collect(),
            Self::Twilio(twilio) => twilio
                .messages()
                .into_iter()
                .filter(|message| message.to == number)
                .map(|message| (message.sid, message.body))
                .collect(),
        }
    }

    fn refused(&self) -> Vec<String> {
        match self {
            Self::Ovh(ovh) => ovh.refused(),
            Self::Twilio(twilio) => twilio.refused(),
        }
    }
}

const SECRET: &str = "a-secret-of-the-callback";

struct Phones {
    stage: Stage,
    provider: Provider,
}

impl Phones {
    async fn start(database: Database, provider: Provider) -> Self {
        let settings = format!("{NO_EMAIL}{}{NO_TELEGRAM}", provider.settings());
        let stage = Stage::start(database, &settings, &[]).await;
        stage.register(&[&format!("a,,{ADA},,59350,,sms"), &format!("b,,{BOB},,59350,,sms")]).await;
        Self { stage, provider }
    }

    fn hook(&self) -> String {
        format!("{}/hooks/sms/twilio", self.stage.daemon.url())
    }

    /// A citizen writes to the short number.
    async fn write(&self, from: &str, text: &str) {
        match &self.provider {
            Provider::Ovh(ovh) => {
                ovh.write(from, text);
            }
            Provider::Twilio(twilio) => {
                let status = twilio.write(&self.hook(), from, SHORT, text).await;
                assert!(status.is_success(), "{status}");
            }
        }
    }

    /// The provider says that a message arrived.
    async fn delivered(&self, id: &str) {
        let status = match &self.provider {
            Provider::Ovh(ovh) => {
                let hook = format!("{}/hooks/sms/ovh?token={SECRET}", self.stage.daemon.url());
                ovh.receipt(&hook, id.parse().unwrap(), 1).await
            }
            Provider::Twilio(twilio) => twilio.receipt(&self.hook(), id, "delivered", "").await,
        };
        assert!(status.is_success(), "{status}");
    }

    /// Waits for the `count`th text to a number; there must be no more.
    async fn text(&self, number: &str, count: usize) -> (String, String) {
        let texts = wait_for(&format!("text {count} to {number}"), async || {
            let texts = self.provider.texts(number);
            (texts.len() >= count).then_some(texts)
        })
        .await;
        assert_eq!(texts.len(), count, "{texts:#?}");
        texts.into_iter().next_back().unwrap()
    }
}

async fn an_answer_comes_back_by_ovh(database: Database) {
    let mut phones = Phones::start(database, Provider::Ovh(Ovh::start().await)).await;
    there_and_back(&mut phones).await;
}

async fn an_answer_comes_back_by_twilio(database: Database) {
    let mut phones = Phones::start(database, Provider::Twilio(Twilio::start().await)).await;
    there_and_back(&mut phones).await;

    // somebody else's signature opens nothing
    let Provider::Twilio(twilio) = &phones.provider else { unreachable!("it was just made") };
    let form = [("MessageSid", "SM9"), ("From", ADA), ("To", SHORT), ("Body", "Faux")];
    let status = twilio.call(&phones.hook(), &form, "another token").await;
    assert!(status.is_client_error(), "{status}");
    // and a call that is repeated counts once: what comes behind is seen
    let form = [
        ("MessageSid", "SM8"),
        ("AccountSid", twilio::ACCOUNT),
        ("From", ADA),
        ("To", SHORT),
        ("Body", "Encore des jeux"),
    ];
    for _ in 0..2 {
        let status = twilio.call(&phones.hook(), &form, twilio::TOKEN).await;
        assert!(status.is_success(), "{status}");
    }
    phones.write(BOB, "Et des bancs").await;
    let told = phones.stage.told("contributions.received", 4).await;
    assert_eq!(told[2]["data"]["text"], "Encore des jeux");
    assert_eq!(told[3]["data"]["text"], "Et des bancs");
}

async fn there_and_back(phones: &mut Phones) {
    phones.stage.publish(&opened("parc-sud", "Un parc au sud")).await;
    let (id, launch) = phones.text(ADA, 1).await;
    for part in ["MEL", "Un parc au sud", "/c/", "STOP"] {
        assert!(launch.contains(part), "no {part} in {launch}");
    }
    phones.stage.settled("parc-sud-ouverture", "sent", 2).await;
    phones.delivered(&id).await;
    phones.stage.settled("parc-sud-ouverture", "delivered", 1).await;

    phones.write(ADA, "2").await;
    let told = phones.stage.told("contributions.received", 1).await;
    let data = &told[0]["data"];
    assert_eq!(
        (&data["channel"], &data["consultation_id"], &data["in_reply_to"], &data["answer"]),
        (&json!("sms"), &json!("parc-sud"), &json!("parc-sud-ouverture"), &json!("2"))
    );
    assert!(!told[0].to_string().contains("612345678"), "a number went to the bus: {told:?}");
    let (_, receipt) = phones.text(ADA, 2).await;
    for part in ["PV-", "Espaces verts", "verts@lillemetropole.example"] {
        assert!(receipt.contains(part), "no {part} in {receipt}");
    }

    // the provider's list is read anew after a start, and what is known changes nothing
    // (asked to end, not killed: a receipt in flight may be sent again after a kill)
    phones.stage.daemon.sigterm().await;
    phones.stage.daemon.restart().await;
    phones.write(BOB, "Des bancs, des bancs !").await;
    let told = phones.stage.told("contributions.received", 2).await;
    assert_eq!(told[1]["data"]["text"], "Des bancs, des bancs !");
    phones.text(BOB, 2).await;
    phones.text(ADA, 2).await;
    let event = phones.stage.event("parc-sud-ouverture").await.unwrap();
    assert_eq!((&event["planned"], &event["contributions"]), (&json!(2), &json!(2)));
    assert_eq!(phones.provider.refused(), Vec::<String>::new());
}

async fn two_open_consultations_are_asked_about(database: Database) {
    let phones = Phones::start(database, Provider::Twilio(Twilio::start().await)).await;
    phones.stage.publish(&opened("parc-sud", "Un parc au sud")).await;
    phones.text(ADA, 1).await;
    phones.stage.settled("parc-sud-ouverture", "sent", 2).await;
    phones.stage.publish(&opened("piscine", "Une piscine")).await;
    phones.text(ADA, 2).await;
    phones.stage.settled("piscine-ouverture", "sent", 2).await;

    phones.write(ADA, "Il faut que ce soit ouvert le soir").await;
    let (_, question) = phones.text(ADA, 3).await;
    assert!(question.contains("quelle consultation"), "{question}");
    let (first, second) = (question.find("Une piscine"), question.find("Un parc au sud"));
    assert!(first.is_some() && first < second, "{question}");
    assert!(question.contains('1') && question.contains('2'), "{question}");

    phones.write(ADA, "2").await;
    let told = phones.stage.told("contributions.received", 1).await;
    let data = &told[0]["data"];
    assert_eq!(data["text"], "Il faut que ce soit ouvert le soir");
    assert_eq!((&data["consultation_id"], &data["answer"]), (&json!("parc-sud"), &json!(null)));
    let (_, receipt) = phones.text(ADA, 4).await;
    assert!(receipt.contains("PV-"), "{receipt}");
    assert_eq!(phones.stage.store().await.count_held().await.unwrap(), 0);
}

async fn stop_ends_texts_and_is_confirmed_once(database: Database) {
    let phones = Phones::start(database, Provider::Twilio(Twilio::start().await)).await;
    phones.stage.publish(&opened("parc-sud", "Un parc au sud")).await;
    phones.text(ADA, 1).await;
    phones.stage.settled("parc-sud-ouverture", "sent", 2).await;
    phones.write(ADA, "Arrêt.").await;
    let (_, confirmed) = phones.text(ADA, 2).await;
    assert!(confirmed.contains("nous ne vous écrirons plus"), "{confirmed}");
    phones.write(ADA, "STOP SMS").await;
    phones.stage.told("citizens.left", 1).await;

    phones.stage.publish(&opened("piscine", "Une piscine")).await;
    let event = phones.stage.settled("piscine-ouverture", "sent", 1).await;
    assert_eq!(event["planned"], 1);
    phones.text(BOB, 2).await;
    phones.text(ADA, 2).await;

    // they change their mind
    phones.write(ADA, "Reprise").await;
    wait_until("the confirmation of REPRISE", async || phones.provider.texts(ADA).len() == 3).await;
    phones.stage.publish(&opened("gare", "Une gare")).await;
    let event = phones.stage.settled("gare-ouverture", "sent", 2).await;
    assert_eq!(event["planned"], 2);
}
