use std::sync::{Arc, Mutex};

use portevoix_conformance::{Case, Expect, Shaping, limits, outcomes, quiet_logs, shaping};
use portevoix_contract::{Channel, Fault};

use crate::{
    samples::{email, shaper},
    sink::{Say, Scripted},
};

const ADDRESS: &str = "camille.durand@exemple.fr";

#[test]
fn every_sample_is_shaped_and_stays_text() {
    let must = Shaping {
        channel: "email",
        address: ADDRESS,
        html: &["html"],
        one_line: &["from", "to", "reply_to", "envelope_from", "subject", "message_id", "headers"],
    };
    let shaper = shaper();
    shaping(must, |message, recipient| shaper.shape(message, recipient));
}

/// The command at which the scripted server says something else than usual, and what.
type Turn = Arc<Mutex<(&'static str, Option<Say>)>>;

#[tokio::test]
async fn what_a_server_can_do_is_read_as_every_channel_must() {
    let turn: Turn = Arc::new(Mutex::new(("", None)));
    let told = Arc::clone(&turn);
    let server = Scripted::start(Arc::new(move |_, line| {
        let (at, say) = &*told.lock().unwrap();
        (!at.is_empty() && line.starts_with(at)).then(|| say.clone()).flatten()
    }))
    .await;
    let email = email(&server.url());
    limits(&email);
    assert_eq!(Channel::name(&email), "email");
    let case = |name, expect, at: &'static str, say: Option<Say>| {
        let turn = Arc::clone(&turn);
        Case::new(name, expect, move || *turn.lock().unwrap() = (at, say.clone()))
    };
    let reply = |text| Some(Say::Reply(text));
    let cases = [
        case("usual", Expect::Accepted, "", None),
        case(
            "unknown",
            Expect::Refused(Fault::Address),
            "RCPT",
            reply("550 5.1.1 <camille.durand@exemple.fr>: unknown"),
        ),
        case(
            "unknown, no code",
            Expect::Refused(Fault::Address),
            "RCPT",
            reply("550 no camille.durand@exemple.fr here"),
        ),
        case("full", Expect::Later, "RCPT", reply("552 5.2.2 mailbox full")),
        case("greylisted", Expect::Later, "RCPT", reply("450 4.7.1 greylisted, come back")),
        case("too large", Expect::Refused(Fault::Message), "MAIL", reply("552 5.3.4 too large")),
        case("content", Expect::Refused(Fault::Message), "CONTENT", reply("554 5.6.0 bad content")),
        case(
            "reputation",
            Expect::Refused(Fault::Us),
            "CONTENT",
            reply("550 5.7.26 unauthenticated"),
        ),
        case("sender", Expect::Refused(Fault::Us), "MAIL", reply("550 5.1.8 sender's domain")),
        case("no disk", Expect::Later, "CONTENT", reply("452 4.3.1 no room")),
        case("garbage", Expect::Later, "MAIL", reply("hello?")),
        case("cut", Expect::Later, "DATA", Some(Say::CutContentAfter(100))),
        case("hung up", Expect::Later, "CONTENT", Some(Say::Hang)),
        case("busy", Expect::SlowDown(20_000), "MAIL", Some(Say::Last("421 4.7.0 too many"))),
        case("not accepting", Expect::SlowDown(20_000), "RCPT", reply("451 4.3.2 not accepting")),
        case("usual again", Expect::Accepted, "", None),
    ];
    let secrets = ["exemple.fr", "mfrggzdfmztwq2lknnwg23tpobyxe43u"];
    quiet_logs(&secrets, outcomes(&email, ADDRESS, &secrets, &cases)).await;
}
