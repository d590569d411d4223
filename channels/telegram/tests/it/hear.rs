use std::{sync::Arc, time::Duration};

use portevoix_conformance::{
    KeepingSink,
    fakes::{BotApi, BotFault, Webhook},
    quiet_logs,
};
use portevoix_contract::{Inbound, Sink, Source};
use portevoix_telegram::{BotSettings, TelegramPoll};
use tokio_util::sync::CancellationToken;

use crate::settings;

struct Listening {
    sink: Arc<KeepingSink>,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<Result<(), String>>,
}

impl Listening {
    fn start(api: &BotApi, sink: &Arc<KeepingSink>) -> Self {
        let wait = Duration::from_secs(1);
        let poll = TelegramPoll::with_pace(&settings(api), wait, Duration::from_millis(5)).unwrap();
        let stop = CancellationToken::new();
        let (inside, told) = (Arc::clone(sink) as Arc<dyn Sink>, stop.clone());
        let task = tokio::spawn(async move { poll.run(inside, told).await });
        Self { sink: Arc::clone(sink), stop, task }
    }

    /// Waits for so many inbound, but not for ever.
    async fn hears(&self, count: usize) -> Vec<Inbound> {
        let waited = self.sink.wait_for_inbound(count);
        tokio::time::timeout(Duration::from_secs(20), waited).await.unwrap()
    }

    async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap().unwrap();
    }
}

async fn until(api: &BotApi, reached: impl Fn(&BotApi) -> bool) {
    tokio::time::timeout(Duration::from_secs(20), api.wait_until(reached)).await.unwrap();
}

fn texts(inbound: &[Inbound]) -> Vec<&str> {
    inbound.iter().filter_map(|inbound| inbound.text.as_deref()).collect()
}

#[tokio::test]
async fn what_people_say_is_kept_then_confirmed_and_a_press_is_answered() {
    let api = BotApi::start().await;
    let sink = Arc::new(KeepingSink::default());
    api.say(42, "Bonjour", None);
    let listening = Listening::start(&api, &sink);
    listening.hears(1).await;
    let last = api.press(42, 100, "mfrggzdf:oui");
    let inbound = listening.hears(2).await;
    assert_eq!(inbound[0].text.as_deref(), Some("Bonjour"));
    assert_eq!(inbound[0].to, "portevoix_test_bot");
    assert_eq!(inbound[1].choice.as_deref(), Some("oui"));
    assert_eq!(inbound[1].in_reply_to.as_deref(), Some("42:100"));
    let after = last["update_id"].as_i64().unwrap() + 1;
    until(&api, |api| api.confirmed() == after && api.answered_callbacks().len() == 1).await;
    assert_eq!(api.answered_callbacks()[0].1, "C’est noté, merci.");
    listening.stop().await;
}

#[tokio::test]
async fn nothing_is_confirmed_before_it_is_kept() {
    let api = BotApi::start().await;
    let sink = Arc::new(KeepingSink::default());
    sink.fail_next(2);
    let first = api.say(42, "un", None)["update_id"].as_i64().unwrap();
    api.say(42, "deux", None);
    let calls = |api: &BotApi| api.calls("getUpdates");
    let listening = Listening::start(&api, &sink);
    until(&api, |api| calls(api) >= 2).await;
    assert!(api.confirmed() <= first, "confirmed {} before it was kept", api.confirmed());
    let inbound = listening.hears(2).await;
    assert_eq!(texts(&inbound), ["un", "deux"]);
    assert_eq!(sink.refused(), 2);
    until(&api, |api| api.confirmed() == first + 2).await;
    listening.stop().await;
}

#[tokio::test]
async fn what_was_not_confirmed_before_a_kill_comes_again_once() {
    let api = BotApi::start().await;
    let sink = Arc::new(KeepingSink::default());
    api.say(42, "un", None);
    let listening = Listening::start(&api, &sink);
    listening.hears(1).await;
    listening.task.abort();
    api.say(42, "deux", None);
    let again = Listening::start(&api, &sink);
    assert_eq!(texts(&again.hears(2).await), ["un", "deux"]);
    again.stop().await;
}

#[tokio::test]
async fn faults_are_survived_and_say_no_secret() {
    let api = BotApi::start().await;
    let sink = Arc::new(KeepingSink::default());
    for fault in [
        BotFault::Garbage,
        BotFault::RetryAfter(0),
        BotFault::Hang,
        BotFault::Api {
            code: 409,
            description: "Conflict: terminated by other getUpdates".to_owned(),
        },
        BotFault::Down,
    ] {
        api.fail_next("getUpdates", &fault, 1);
    }
    api.fail_next("getMe", &BotFault::Garbage, 1);
    api.say(420_011, "Toujours là", None);
    let work = async {
        let listening = Listening::start(&api, &sink);
        let inbound = listening.hears(1).await;
        listening.stop().await;
        inbound
    };
    let (inbound, log) = quiet_logs(&[api.token(), "420011", "Toujours"], work).await;
    assert_eq!(texts(&inbound), ["Toujours là"]);
    assert!(log.contains("failed to fetch updates: Telegram's answer can't be read"), "{log}");
}

#[tokio::test]
async fn a_webhook_left_behind_is_taken_away() {
    let api = BotApi::start().await;
    let sink = Arc::new(KeepingSink::default());
    api.set_webhook(Some(Webhook { url: "https://old.example/".to_owned(), secret: None }));
    api.say(42, "un", None);
    let listening = Listening::start(&api, &sink);
    assert_eq!(texts(&listening.hears(1).await), ["un"]);
    assert_eq!(api.webhook(), None);
    listening.stop().await;
}

#[tokio::test]
async fn a_wrong_token_is_a_start_that_fails() {
    let api = BotApi::start().await;
    let wrong = BotSettings { token: "1:wrong".to_owned().into(), ..settings(&api) };
    let poll = TelegramPoll::new(&wrong).unwrap();
    let sink = Arc::new(KeepingSink::default());
    let why = poll.run(sink, CancellationToken::new()).await.unwrap_err();
    assert!(why.contains("telegram.token") && !why.contains("1:wrong"), "{why}");
}
