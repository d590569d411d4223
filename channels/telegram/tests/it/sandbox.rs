use std::sync::Arc;

use portevoix_conformance::{NOW_MS, samples};
use portevoix_contract::{Deliver, Inbound, Outcome};
use portevoix_sandbox::{Answer, Letterboxes, SandboxChannel};
use portevoix_telegram::{TelegramShaper, read_update};

/// What the demo's citizens answer is what the real channel would have read.
#[tokio::test]
async fn the_sandbox_s_chat_answers_as_telegram_would() {
    let folder = tempfile::tempdir().unwrap();
    let boxes = Arc::new(Letterboxes::open(folder.path()).unwrap());
    let shape = |message: &_, recipient: &_| {
        let content = TelegramShaper.shape(message, recipient)?;
        Ok(serde_json::to_value(content).unwrap())
    };
    let channel = SandboxChannel::new("telegram", Box::new(shape), Arc::clone(&boxes));
    let recipient = samples::recipient("4200");
    let sent = channel.deliver(&samples::launch(), &recipient, "d1", NOW_MS, None).await;
    let Outcome::Accepted { reference } = sent else { panic!("{sent:?}") };

    for (answer, above) in [
        (Answer::Text("Oui\nmais".to_owned()), Some("d1")),
        (Answer::Text("/stop".to_owned()), None),
        (Answer::Choice("1".to_owned()), Some("d1")),
    ] {
        let made = boxes.answer("telegram", "4200", &answer, above, NOW_MS).unwrap();
        assert_eq!(made.in_reply_to, above.map(|_| reference.clone()));
        let update = serde_json::from_slice(&made.raw).unwrap();
        let read = read_update(&update, &made.to, NOW_MS).unwrap().inbound.unwrap();
        // Made-up ids are unique in another way, and a pressed button is no message.
        let expected = Inbound { provider_id: made.provider_id.clone(), ..read };
        let reference = made.reference.clone().filter(|_| made.choice.is_none());
        assert_eq!(Inbound { reference, ..made }, expected);
    }
}
