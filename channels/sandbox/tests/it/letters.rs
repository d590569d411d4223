use portevoix_conformance::{Case, Expect, Shaping, limits, outcomes, quiet_logs, shaping};
use portevoix_contract::{Channel, Deliver, Fault, Outcome};
use portevoix_sandbox::{Answer, Direction, LETTERS_AN_ADDRESS, Letterboxes, Trouble, Weather};

use crate::{NOW, channel, letterboxes, message, recipient, send};

#[tokio::test]
async fn a_letter_is_shown_once_told_to_viewers_and_kept_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let boxes = letterboxes(folder.path());
    let email = channel("email", &boxes);
    let mut news = boxes.watch();
    let first = send(&email, "zoe@example.org", "d1").await;
    let again = send(&email, "zoe@example.org", "d1").await;
    assert_eq!(first, again);
    assert_eq!(
        first,
        Outcome::Accepted { reference: "<abcdefghij234567@lille.example>".to_owned() }
    );
    assert_eq!(news.recv().await.unwrap().id, "d1");
    assert!(news.try_recv().is_err(), "the retry was told to viewers");
    let before = boxes.letters("email", "zoe@example.org").unwrap();
    assert_eq!(before.len(), 1);
    assert_eq!(before[0].direction, Direction::In);
    assert_eq!(before[0].token.as_deref(), Some("abcdefghij234567"));
    drop((email, boxes));

    let reopened = letterboxes(folder.path());
    assert_eq!(reopened.letters("email", "zoe@example.org").unwrap(), before);
    assert_eq!(reopened.addresses("email"), [("zoe@example.org".to_owned(), 1)]);
    let email = channel("email", &reopened);
    assert_eq!(send(&email, "zoe@example.org", "d1").await, first);
    assert_eq!(reopened.letters("email", "zoe@example.org").unwrap().len(), 1);
}

#[tokio::test]
async fn a_line_cut_by_a_kill_costs_no_other_letter() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("letters.jsonl");
    let boxes = letterboxes(folder.path());
    send(&channel("sms", &boxes), "+33612345678", "a").await;
    drop(boxes);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.extend_from_slice(b"{\"seq\":2,\"id\":\"b\",\"chan");
    std::fs::write(&path, bytes).unwrap();

    let boxes = letterboxes(folder.path());
    send(&channel("sms", &boxes), "+33612345678", "c").await;
    drop(boxes);
    let letters = letterboxes(folder.path()).letters("sms", "+33612345678").unwrap();
    let ids: Vec<&str> = letters.iter().map(|letter| letter.id.as_str()).collect();
    assert_eq!(ids, ["a", "c"]);
}

#[tokio::test]
async fn an_address_keeps_its_newest_letters_only() {
    let folder = tempfile::tempdir().unwrap();
    let boxes = letterboxes(folder.path());
    let chat = channel("telegram", &boxes);
    for number in 0..LETTERS_AN_ADDRESS + 5 {
        send(&chat, "42", &format!("d{number}")).await;
    }
    let shown = boxes.letters("telegram", "42").unwrap();
    assert_eq!(shown.len(), LETTERS_AN_ADDRESS);
    assert_eq!(shown[0].id, "d5");
    assert!(Letterboxes::open(folder.path()).is_err(), "two processes wrote to one file");
    drop((chat, boxes));
    assert_eq!(letterboxes(folder.path()).letters("telegram", "42").unwrap(), shown);
}

#[tokio::test]
async fn trouble_comes_by_turn_or_by_address() {
    let folder = tempfile::tempdir().unwrap();
    let boxes = letterboxes(folder.path());
    let sms = channel("sms", &boxes);
    let wait = Trouble::SlowDown { wait_ms: 2_000 };
    boxes.set_weather("sms", Weather { every: Some((3, wait)), ..Weather::default() });
    let mut slowed = 0;
    for number in 0..9 {
        match send(&sms, "+33612345678", &format!("d{number}")).await {
            Outcome::Accepted { .. } => {}
            Outcome::SlowDown { until_ms, .. } => {
                assert_eq!(until_ms, NOW + 2_000);
                slowed += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(slowed, 3);
    assert_eq!(boxes.letters("sms", "+33612345678").unwrap().len(), 6);

    for (address, refused) in
        [("x+refuse@example.org", true), ("33600999404", true), ("x+later@example.org", false)]
    {
        match send(&sms, address, "e").await {
            Outcome::Refused { fault: Fault::Address, .. } => assert!(refused),
            Outcome::Later { .. } => assert!(!refused),
            other => panic!("{other:?}"),
        }
        assert!(boxes.letters("sms", address).unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_lost_answer_and_its_retry_show_one_letter() {
    let folder = tempfile::tempdir().unwrap();
    let boxes = letterboxes(folder.path());
    let sms = channel("sms", &boxes);
    boxes.set_weather(
        "sms",
        Weather { every: Some((1, Trouble::AnswerLost)), ..Weather::default() },
    );
    assert!(matches!(send(&sms, "+33612345678", "d").await, Outcome::Later { .. }));
    boxes.set_weather("sms", Weather::default());
    assert!(matches!(send(&sms, "+33612345678", "d").await, Outcome::Accepted { .. }));
    assert_eq!(boxes.letters("sms", "+33612345678").unwrap().len(), 1);
}

#[tokio::test]
async fn a_preview_is_the_real_channel_s_content_alone() {
    let folder = tempfile::tempdir().unwrap();
    let boxes = letterboxes(folder.path());
    let email = channel("email", &boxes);
    let shaped = email.preview(&message(), &recipient("zoe@example.org")).unwrap();
    assert_eq!(shaped.content["reply_to"], "r+abcdefghij234567@lille.example");
    assert!(shaped.content.get("token").is_none());
}

#[tokio::test]
async fn numbers_go_on_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let hello = Answer::Text("Bonjour".to_owned());
    let ids: Vec<String> = (0..3)
        .map(|_| {
            let boxes = letterboxes(folder.path());
            boxes.answer("sms", "+33612345678", &hello, None, NOW).unwrap().provider_id
        })
        .collect();
    assert!(ids[0] != ids[1] && ids[1] != ids[2], "{ids:?}");
}

#[tokio::test]
async fn it_is_a_channel_like_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let boxes = letterboxes(folder.path());
    let sms = channel("sms", &boxes);
    let must = Shaping { channel: "sms", address: "+33612345678", html: &[], one_line: &["from"] };
    shaping(must, |message, recipient| sms.shape(message, recipient));
    limits(&sms);
    let meets = |trouble: Option<Trouble>| {
        let boxes = &boxes;
        move || {
            let every = trouble.map(|trouble| (1, trouble));
            boxes.set_weather("sms", Weather { every, ..Weather::default() });
        }
    };
    let refused = Expect::Refused;
    let slow = Trouble::SlowDown { wait_ms: 2_000 };
    let cases = [
        Case::new("fair", Expect::Accepted, meets(None)),
        Case::new("dead", refused(Fault::Address), meets(Some(Trouble::RefusedAddress))),
        Case::new("not this", refused(Fault::Message), meets(Some(Trouble::RefusedMessage))),
        Case::new("not us", refused(Fault::Us), meets(Some(Trouble::RefusedUs))),
        Case::new("out of order", Expect::Later, meets(Some(Trouble::Later))),
        Case::new("too fast", Expect::SlowDown(2_000), meets(Some(slow))),
    ];
    let table = outcomes(&sms, "+33612345678", &[], &cases);
    quiet_logs(&["+33612345678", "Wazemmes"], table).await;
}
