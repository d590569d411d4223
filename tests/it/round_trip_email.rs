//! By mail, from the bus to a real SMTP server, back over LMTP, to the bus and to the citizen.

use mail_parser::{HeaderValue, MessageParser};
use serde_json::json;

use crate::harness::{
    lmtp, ports,
    smtp_sink::{Mail, SmtpSink},
    stage::{Database, NO_TELEGRAM, Stage, on_both_databases, opened},
    twilio::{self, Twilio},
    wait_for,
};

on_both_databases!(
    an_answer_comes_back_once_and_is_acknowledged,
    stop_ends_mail_and_is_confirmed_once,
    what_matches_nothing_waits_for_a_person,
    a_bounce_buries_the_address_and_goes_on_by_the_next_channel,
    the_reasoned_answer_reaches_contributors_with_their_own_themes,
);

const ADA: &str = "ada@example.org";
const BOB: &str = "bob@example.org";
const CID: &str = "cid@example.org";
const REPLIES: &str = "reponses.example.org";

/// A stage with mail, and a telephone for the citizens' next channel.
struct Post {
    stage: Stage,
    sink: SmtpSink,
    phones: Twilio,
    lmtp: String,
}

impl Post {
    async fn start(database: Database) -> Self {
        let (sink, phones) = (SmtpSink::start(&[]).await, Twilio::start().await);
        let lmtp = format!("127.0.0.1:{}", ports::free());
        let settings = format!(
            "[email]\nprovider = \"smtp\"\nsmtp_url = \"{}?tls=none\"\nlmtp_listen = \"{lmtp}\"\n\
             reply_domain = \"{REPLIES}\"\n\
             [sms]\nprovider = \"twilio\"\nquiet_hours = false\n\
             [sms.twilio]\naccount_sid = \"{}\"\nauth_token = \"{}\"\nfrom = \"38123\"\n\
             api_url = \"{}\"\n{NO_TELEGRAM}",
            sink.url(),
            twilio::ACCOUNT,
            twilio::TOKEN,
            phones.url
        );
        let stage = Stage::start(database, &settings, &[]).await;
        Self { stage, sink, phones, lmtp }
    }

    fn mails_to(&self, address: &str) -> Vec<Mail> {
        self.sink.mails().into_iter().filter(|mail| mail.to == [address]).collect()
    }

    /// The only mail to an address with that in its subject.
    async fn one(&self, address: &str, subject: &str) -> Mail {
        let found = wait_for(&format!("`{subject}` to {address}"), async || {
            let mut found = self.mails_to(address);
            found.retain(|mail| read(mail).subject.contains(subject));
            (!found.is_empty()).then_some(found)
        })
        .await;
        assert_eq!(found.len(), 1, "{found:#?}");
        found.into_iter().next().unwrap()
    }

    async fn deliver(&self, from: &str, to: &str, message: &str) {
        let answer = lmtp::deliver(&self.lmtp, from, to, message).await;
        assert!(answer.starts_with("250"), "{answer}");
    }

    /// Answers a mail of ours as a mail program does.
    async fn answer(&self, from: &str, to: &Mail, number: u32, text: &str) {
        self.deliver(from, &reply_to(to), &answer(from, to, number, text)).await;
    }
}

/// A mail as its reader sees it.
struct Read {
    subject: String,
    text: String,
}

fn read(mail: &Mail) -> Read {
    let parsed = MessageParser::default().parse(mail.message.as_bytes()).unwrap();
    Read {
        subject: parsed.subject().unwrap_or_default().to_owned(),
        text: parsed.body_text(0).unwrap_or_default().into_owned(),
    }
}

fn reply_to(mail: &Mail) -> String {
    let parsed = MessageParser::default().parse(mail.message.as_bytes()).unwrap();
    let header = parsed.header("Reply-To").expect("a mail that can be answered");
    let HeaderValue::Address(address) = header else { panic!("{header:?}") };
    address.first().unwrap().address().unwrap().to_owned()
}

fn answer(from: &str, to: &Mail, number: u32, text: &str) -> String {
    let id = to.header("message-id").unwrap();
    format!(
        "From: Ada <{from}>\nTo: <{}>\nSubject: Re: Votre avis\nDate: Mon, 23 Nov 2026 10:{number:02}:00 +0100\n\
         Message-ID: <{number}.{from}>\nIn-Reply-To: {id}\nReferences: {id}\nMIME-Version: 1.0\n\
         Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{text}\n\n\
         Le lun. 23 nov. 2026 à 09:00, Métropole <participation@example.org> a écrit :\n\
         > Donnez votre avis.\n> Répondez à ce message.\n",
        reply_to(to)
    )
}

async fn an_answer_comes_back_once_and_is_acknowledged(database: Database) {
    let post = Post::start(database).await;
    post.stage
        .register(&[&format!("a,{ADA},,,59350,nature,email"), &format!("b,{BOB},,,59350,,email")])
        .await;
    post.stage.publish(&opened("parc-sud", "Un parc au sud")).await;

    let launch = post.one(ADA, "Un parc au sud").await;
    assert!(launch.from.starts_with("b+") && launch.from.ends_with(REPLIES), "{launch:?}");
    assert!(reply_to(&launch).starts_with("r+") && reply_to(&launch).ends_with(REPLIES));
    assert!(launch.header("list-unsubscribe").unwrap().contains("/u/"));
    assert_eq!(
        launch.header("list-unsubscribe-post").as_deref(),
        Some("List-Unsubscribe=One-Click")
    );
    assert!(read(&launch).text.contains("se prépare"), "{launch:?}");

    let written = answer(ADA, &launch, 1, "Il faut des bancs à l’ombre.");
    post.deliver(ADA, &reply_to(&launch), &written).await;
    let told = post.stage.told("contributions.received", 1).await;
    let data = &told[0]["data"];
    assert_eq!(data["text"], "Il faut des bancs à l’ombre.");
    assert_eq!(
        (&data["channel"], &data["consultation_id"], &data["in_reply_to"], &data["answer"]),
        (&json!("email"), &json!("parc-sud"), &json!("parc-sud-ouverture"), &json!(null))
    );
    assert!(!told[0].to_string().contains(ADA), "an address went to the bus: {told:?}");

    let receipt = post.one(ADA, "Nous avons reçu").await;
    assert_eq!(receipt.header("auto-submitted").as_deref(), Some("auto-replied"));
    assert_eq!(receipt.header("in-reply-to").as_deref(), Some("<1.ada@example.org>"));
    let seen = read(&receipt);
    assert!(seen.subject.contains("PV-"), "{}", seen.subject);
    for part in ["Espaces verts", "verts@lillemetropole.example", "des bancs"] {
        assert!(seen.text.contains(part), "no {part} in {}", seen.text);
    }

    // once more, as a mail server does that missed our answer; Bob's comes after and is seen
    post.deliver(ADA, &reply_to(&launch), &written).await;
    let to_bob = post.one(BOB, "Un parc au sud").await;
    post.answer(BOB, &to_bob, 2, "1").await;
    let told = post.stage.told("contributions.received", 2).await;
    assert_eq!(told[1]["data"]["answer"], "1");
    post.one(BOB, "Nous avons reçu").await;
    assert_eq!(post.mails_to(ADA).len(), 2);
    let event = post.stage.settled("parc-sud-ouverture", "sent", 2).await;
    assert_eq!(event["contributions"], 2);
}

async fn stop_ends_mail_and_is_confirmed_once(database: Database) {
    let post = Post::start(database).await;
    post.stage
        .register(&[&format!("a,{ADA},,,59350,,email"), &format!("b,{BOB},,,59350,,email")])
        .await;
    post.stage.publish(&opened("parc-sud", "Un parc au sud")).await;
    let launch = post.one(ADA, "Un parc au sud").await;
    post.answer(ADA, &launch, 1, "STOP").await;
    post.one(ADA, "Vous ne recevrez plus").await;
    post.answer(ADA, &launch, 2, "Stop, merci").await;
    let left = post.stage.told("citizens.left", 1).await;
    assert_eq!(left[0]["data"]["channel"], "email");

    post.stage.publish(&opened("piscine", "Une piscine")).await;
    post.one(BOB, "Une piscine").await;
    let event = post.stage.settled("piscine-ouverture", "sent", 1).await;
    assert_eq!(event["planned"], 1);
    assert_eq!(post.mails_to(ADA).len(), 2);
    assert_eq!(post.stage.on_bus("PARTICIPATION_FEEDBACK", RECEIVED).await.len(), 0);
}

const RECEIVED: &str = "participation.contributions.received";

async fn what_matches_nothing_waits_for_a_person(database: Database) {
    let post = Post::start(database).await;
    let mail = "From: Zoé <zoe@example.org>\nTo: <participation@reponses.example.org>\n\
                Subject: Une idée\nMessage-ID: <9.zoe@example.org>\n\
                Date: Mon, 23 Nov 2026 10:00:00 +0100\nMIME-Version: 1.0\n\
                Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n\
                Et si on plantait des cerisiers ?\n";
    let address = format!("participation@{REPLIES}");
    post.deliver("zoe@example.org", &address, mail).await;
    post.stage.held(1).await;
    let told = post.one("zoe@example.org", "Nous avons reçu votre message").await;
    assert_eq!(told.header("in-reply-to").as_deref(), Some("<9.zoe@example.org>"));

    let held = post.stage.store().await.replies_in("held", 10).await.unwrap();
    assert_eq!(held[0].text.as_deref(), Some("Et si on plantait des cerisiers ?"));
    assert!(held[0].reason.as_deref().is_some_and(|reason| reason.contains("no token")));
}

/// What a mail server writes that could not hand a mail on (RFC 3464).
fn bounce(original: &Mail, status: &str) -> String {
    let (to, back) = (&original.to[0], &original.from);
    format!(
        "From: MAILER-DAEMON@mx.example.org\nTo: <{back}>\nSubject: Undelivered Mail\n\
         Auto-Submitted: auto-replied\nMessage-ID: <{status}.{to}>\nMIME-Version: 1.0\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\n\n\
         --b\nContent-Type: text/plain\n\nI'm sorry to have to inform you …\n\
         --b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.org\n\n\
         Final-Recipient: rfc822; {to}\nAction: failed\nStatus: {status}\n\
         Diagnostic-Code: smtp; 550 {status} refused\n\
         --b\nContent-Type: text/rfc822-headers\n\nMessage-ID: {}\nSubject: Votre avis\n--b--\n",
        original.header("message-id").unwrap()
    )
}

async fn a_bounce_buries_the_address_and_goes_on_by_the_next_channel(database: Database) {
    let post = Post::start(database).await;
    post.stage
        .register(&[
            &format!("a,{ADA},+33612345678,,59350,,email|sms"),
            &format!("b,{BOB},+33612345679,,59350,,email|sms"),
        ])
        .await;
    post.stage.publish(&opened("parc-sud", "Un parc au sud")).await;
    let to_ada = post.one(ADA, "Un parc au sud").await;
    let to_bob = post.one(BOB, "Un parc au sud").await;

    // Bob's mailbox is full, which passes; Ada's does not exist
    post.deliver("", &to_bob.from, &bounce(&to_bob, "5.2.2")).await;
    post.deliver("", &to_ada.from, &bounce(&to_ada, "5.1.1")).await;
    let event = post.stage.settled("parc-sud-ouverture", "failed", 2).await;
    assert_eq!(event["planned"], 3, "{event}");
    wait_for("the text message to Ada", async || post.phones.messages().pop()).await;
    let event = post.stage.settled("parc-sud-ouverture", "sent", 1).await;
    assert_eq!(event["by_channel"]["sms"]["sent"], 1, "{event}");
    assert_eq!(event["by_channel"]["email"]["failed"], 2, "{event}");
    let sent = post.phones.messages();
    assert_eq!((sent.len(), sent[0].to.as_str()), (1, "+33612345678"));

    // from now on Ada gets text messages, and Bob still gets mail
    post.stage.publish(&opened("piscine", "Une piscine")).await;
    post.one(BOB, "Une piscine").await;
    post.stage.settled("piscine-ouverture", "sent", 2).await;
    assert_eq!(post.mails_to(ADA).len(), 1);
    assert_eq!(post.phones.messages().len(), 2);
    post.stage.daemon.must(&["audit"]).await;
}

async fn the_reasoned_answer_reaches_contributors_with_their_own_themes(database: Database) {
    let post = Post::start(database).await;
    post.stage
        .register(&[
            &format!("a,{ADA},,,59350,nature,email"),
            &format!("b,{BOB},,,59350,nature,email"),
            &format!("c,{CID},,,59350,mobilite,email"),
        ])
        .await;
    post.stage.publish(&opened("parc-sud", "Un parc au sud")).await;
    for (address, text) in [(ADA, "Plus d’arbres."), (CID, "Des pistes cyclables.")] {
        let launch = post.one(address, "Un parc au sud").await;
        post.answer(address, &launch, 1, text).await;
    }
    post.stage.told("contributions.received", 2).await;

    let mut event = opened("parc-sud", "Un parc au sud");
    event["id"] = json!("parc-sud-avis");
    event["type"] = json!("fr.lillemetropole.participation.opinion.published");
    event["data"].as_object_mut().unwrap().remove("question");
    event["data"]["message"]["fr"]["title"] = json!("La réponse de la métropole");
    event["data"]["outcomes"] = json!([
        { "theme": "nature", "decision": "retained", "reason": { "fr": "Deux cents arbres seront plantés." } },
        { "theme": "mobilite", "decision": "not_retained", "reason": { "fr": "La rue est trop étroite." } },
    ]);
    post.stage.publish(&event).await;

    let settled = post.stage.settled("parc-sud-avis", "sent", 2).await;
    assert_eq!(settled["planned"], 2, "{settled}");
    let (trees, street) = ("Deux cents arbres", "trop étroite");
    for (address, theirs, others) in [(ADA, trees, street), (CID, street, trees)] {
        let mail = read(&post.one(address, "La réponse de la métropole").await);
        assert!(mail.text.contains(theirs), "{address} has no {theirs} in {}", mail.text);
        assert!(!mail.text.contains(others), "{address} has {others} in {}", mail.text);
    }
    assert_eq!(post.mails_to(BOB).len(), 1);
}
