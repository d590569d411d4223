use portevoix_conformance::{
    Case, Expect, NOW_MS,
    fakes::{BotApi, BotFault},
    limits, outcomes, quiet_logs, samples,
};
use portevoix_contract::{Channel, Fault, Message, Outbound, Outcome, parse_markdown};
use portevoix_telegram::{BotSettings, SetUpError, Telegram, TelegramContent, TelegramShaper};

use crate::{settings, telegram};

const CHAT: &str = "420011";

fn outbound(channel: &Telegram, message: &Message) -> Outbound<TelegramContent> {
    Outbound {
        id: "d1".to_owned(),
        to: CHAT.to_owned(),
        content: channel.shape(message, &samples::recipient(CHAT)).unwrap(),
        now_ms: NOW_MS,
        deadline_ms: None,
    }
}

fn long() -> Message {
    let text = "Une phrase qui dit une chose, puis une autre. ".repeat(230);
    Message { blocks: parse_markdown(&text), ..samples::launch() }
}

fn refusal(code: u16, description: &str) -> BotFault {
    BotFault::Api { code, description: description.to_owned() }
}

#[tokio::test]
async fn every_answer_of_the_api_is_classified_and_nothing_leaks() {
    let api = BotApi::start().await;
    let channel = telegram(&api);
    limits(&channel);
    let fails = |fault: BotFault| {
        let api = &api;
        move || api.fail_next("sendMessage", &fault, 1)
    };
    let bad = |words: &str| fails(refusal(400, &format!("Bad Request: {words}")));
    let forbidden = |words: &str| fails(refusal(403, &format!("Forbidden: {words}")));
    let (address, message) = (Expect::Refused(Fault::Address), Expect::Refused(Fault::Message));
    let cases = [
        Case::new("taken", Expect::Accepted, || {}),
        Case::new("blocked", address, forbidden("bot was blocked by the user")),
        Case::new("deactivated", address, forbidden("user is deactivated")),
        Case::new("never wrote", address, forbidden("bot can't initiate conversation with a user")),
        Case::new("no such chat", address, bad("chat not found")),
        Case::new("no such peer", address, bad("PEER_ID_INVALID")),
        Case::new("bad entities", message, bad("can't parse entities: byte offset 3")),
        Case::new("too long", message, bad("message is too long")),
        Case::new(
            "bad button",
            message,
            bad(
                "inline keyboard button URL 'https://lille.example/me/mfrggzdfmztwq2lk' is invalid",
            ),
        ),
        Case::new("too fast", Expect::SlowDown(3_000), fails(BotFault::RetryAfter(3))),
        Case::new("wrong token", Expect::SlowDown(300_000), fails(refusal(401, "Unauthorized"))),
        Case::new("garbage", Expect::Later, fails(BotFault::Garbage)),
        Case::new("down", Expect::Later, fails(BotFault::Down)),
        Case::new("no answer", Expect::Later, fails(BotFault::Hang)),
        Case::new("internal", Expect::Later, fails(refusal(400, "Internal Server Error"))),
        Case::new("moved, and taken", Expect::Accepted, fails(BotFault::MigrateTo(-100_777))),
    ];
    let secrets = [api.token(), CHAT, "Wazemmes", "mfrggzdfmztwq2lk"];
    let hidden = [secrets[0], secrets[3]];
    quiet_logs(&secrets, outcomes(&channel, CHAT, &hidden, &cases)).await;
    assert_eq!(api.sent().last().unwrap().chat_id, -100_777);
}

#[tokio::test]
async fn what_arrives_is_the_shaped_message_and_the_reference_names_it() {
    let api = BotApi::start().await;
    let channel = telegram(&api);
    let outcome = channel.send(&outbound(&channel, &samples::launch())).await;
    let sent = api.sent();
    let reference = format!("{CHAT}:{}", sent[0].message_id);
    assert_eq!(outcome, Outcome::Accepted { reference });
    assert!(sent[0].text.starts_with("Un parc à Wazemmes : donnez votre avis\n\nBonjour Zoé,"));
    assert_eq!(sent[0].params["reply_markup"]["inline_keyboard"][0][0]["text"], "Lire sur le site");
    assert_eq!(sent[0].params["link_preview_options"]["is_disabled"], true);
}

#[tokio::test]
async fn every_sample_is_taken_by_a_strict_server() {
    let api = BotApi::start().await;
    let channel = telegram(&api);
    for sample in samples::all() {
        let Ok(content) = channel.shape(&sample.message, &samples::recipient(CHAT)) else {
            assert!(sample.may_be_refused);
            continue;
        };
        let outbound = Outbound {
            id: sample.name.to_owned(),
            to: CHAT.to_owned(),
            content,
            now_ms: NOW_MS,
            deadline_ms: None,
        };
        let outcome = channel.send(&outbound).await;
        assert!(matches!(outcome, Outcome::Accepted { .. }), "{}: {outcome:?}", sample.name);
    }
}

#[tokio::test]
async fn a_retry_sends_only_the_parts_that_are_missing() {
    let api = BotApi::start().await;
    let channel = telegram(&api);
    let outbound = outbound(&channel, &long());
    let parts = outbound.content.parts.len();
    assert!(parts > 2);
    // The first part arrives; then Telegram has had enough, twice.
    api.flood_after(1);
    assert!(matches!(channel.send(&outbound).await, Outcome::SlowDown { .. }));
    assert_eq!(api.sent().len(), 1);
    api.fail_next("sendMessage", &BotFault::RetryAfter(1), 1);
    assert!(matches!(channel.send(&outbound).await, Outcome::SlowDown { .. }));
    assert!(matches!(channel.send(&outbound).await, Outcome::Accepted { .. }));
    let sent: Vec<String> = api.sent().into_iter().map(|sent| sent.text).collect();
    let shaped: Vec<String> = outbound.content.parts.iter().map(|part| part.text.clone()).collect();
    assert_eq!(sent, shaped);
    assert!(api.sent()[0].params.get("reply_markup").is_none());
}

#[tokio::test]
async fn a_person_who_left_is_an_address_that_is_dead() {
    let api = BotApi::start().await;
    let channel = telegram(&api);
    api.block(420_011);
    let outcome = channel.send(&outbound(&channel, &samples::launch())).await;
    assert!(matches!(outcome, Outcome::Refused { fault: Fault::Address, .. }), "{outcome:?}");
    let mut nobody = outbound(&channel, &samples::launch());
    nobody.to = "@someone".to_owned();
    let outcome = channel.send(&nobody).await;
    assert!(matches!(outcome, Outcome::Refused { fault: Fault::Address, .. }), "{outcome:?}");
}

#[tokio::test]
async fn nobody_listening_is_later_and_a_probe_says_what_to_do() {
    let api = BotApi::start().await;
    let channel = telegram(&api);
    assert_eq!(channel.probe().await.unwrap(), "telegram: @portevoix_test_bot answers");
    let token = "1:wrong-token".to_owned();
    let wrong = BotSettings { token: token.clone().into(), ..settings(&api) };
    let wrong = Telegram::new(&wrong, TelegramShaper).unwrap();
    let why = wrong.probe().await.unwrap_err();
    assert!(why.contains("telegram.token") && !why.contains(&token), "{why}");

    let free = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let away = BotSettings { api_url: Some(format!("http://{free}")), ..settings(&api) };
    let away = Telegram::new(&away, TelegramShaper).unwrap();
    let outcome = away.send(&outbound(&away, &samples::launch())).await;
    let Outcome::Later { why, .. } = outcome else { panic!("{outcome:?}") };
    assert!(!why.contains(api.token()) && !why.contains("http"), "{why}");
}

#[test]
fn settings_that_can_t_be_used_are_told_apart_and_keep_their_secret() {
    for token in ["", "abc", "12:", "x:abc", "12:a b"] {
        let settings = BotSettings::new(token.to_owned().into());
        assert_eq!(Telegram::new(&settings, TelegramShaper).err(), Some(SetUpError::Token));
    }
    let mut settings = BotSettings::new("12:abc".to_owned().into());
    assert!(!format!("{settings:?}").contains("12:abc"));
    settings.api_url = Some("telegram.example".to_owned());
    let error = Telegram::new(&settings, TelegramShaper).err();
    assert_eq!(error, Some(SetUpError::ApiUrl("telegram.example".to_owned())));
}

#[tokio::test]
async fn a_webhook_is_set_with_its_secret() {
    let api = BotApi::start().await;
    let channel = telegram(&api);
    let secret = "s3cret_s3cret".to_owned().into();
    let url = "https://lille.example/hooks/telegram";
    channel.set_webhook(url, &secret).await.unwrap();
    let webhook = api.webhook().unwrap();
    assert_eq!((webhook.url.as_str(), webhook.secret.as_deref()), (url, Some("s3cret_s3cret")));
    let why = channel.set_webhook("http://lille.example/", &secret).await.unwrap_err();
    assert!(why.contains("HTTPS"), "{why}");
}
