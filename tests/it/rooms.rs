//! No room calls the next: what a room may import follows from its place in the flow, and only
//! `app` knows them all. Tests inside a room may arrange what they like and are not looked at.

use std::{fmt::Write, path::Path};

use crate::source::{self, Token};

/// What the rooms in the middle of the flow stand on, and the doorbell that wakes them.
const FLOOR: &[&str] = &[
    "model",
    "store",
    "clock",
    "config",
    "telemetry",
    "bus::Bells",
    "bus::Listener",
    "bus::Room",
    "bus::Work",
    "bus::Round",
    "bus::rounds",
];

/// A room; whether it stands on the floor above; what else it may import, whole or by one item.
const ROOMS: &[(&str, bool, &[&str])] = &[
    ("clock", false, &[]),
    ("plain", false, &[]),
    // sealing takes its randomness
    ("model", false, &["clock"]),
    ("config", false, &["model"]),
    ("telemetry", false, &["config"]),
    ("store", false, &["model", "clock", "telemetry"]),
    // pure: an event and a citizen become words
    ("render", false, &["model"]),
    // the embedded bus is rows
    ("bus", true, &[]),
    ("intake", true, &["bus"]),
    ("audience", true, &[]),
    ("outbox", true, &[]),
    ("dispatch", true, &["render", "outbox"]),
    ("receipts", true, &[]),
    ("inbox", true, &[]),
    ("contributions", true, &[]),
    ("relay", true, &["bus"]),
    // shows and takes in: an event over HTTP goes the way of one from the bus, and a citizen who
    // joins or leaves becomes the same rows as an imported one (pure functions, by item)
    (
        "web",
        true,
        &[
            "render",
            "intake",
            "inbox",
            "bus",
            "plain",
            "audience::subscribing",
            "contributions::anonymised",
        ],
    ),
    ("app", true, &["*"]),
    ("cli", true, &["*", "app"]),
    ("main", false, &["cli"]),
    ("lib", false, &[]),
];

/// Law 4: a channel comes with its crate and one line where rooms are wired. Who reads its
/// settings, shows its content or reads its raw input may know it; nobody on the way out may.
const MAY_KNOW_A_CHANNEL: &[&str] = &["app", "cli", "config", "inbox", "web"];

/// Every import in a room's `mod.rs` that its place forbids.
fn forbidden(room: &str, text: &str) -> Vec<String> {
    forbidden_at(room, 1, text)
}

/// The same in a file whose module lies `depth` below the root, from where `super` leads out.
fn forbidden_at(room: &str, depth: usize, text: &str) -> Vec<String> {
    let Some((_, floor, more)) = ROOMS.iter().find(|(name, _, _)| *name == room) else {
        return vec![format!("room `{room}` has no line in the table of tests/it/rooms.rs")];
    };
    let tokens = source::without_tests(&source::tokens(text));
    let mut wrong = Vec::new();
    let mut paths = source::paths(&tokens, |token| matches!(token, "crate" | "portevoix"));
    paths.extend(upwards(&tokens, depth));
    for path in paths {
        let (target, item) = (path[1].as_str(), path.get(2).map_or("", String::as_str));
        let by_item = format!("{target}::{item}");
        let named = |allowed: &str| allowed == target || allowed == by_item;
        let everything = more.contains(&"*") && target != "app" && target != "cli";
        let allowed = target == room
            || more.iter().any(|allowed| named(allowed))
            || *floor && FLOOR.iter().any(|allowed| named(allowed))
            || everything;
        if !allowed {
            wrong.push(format!("`{room}` imports `{}`", path.join("::")));
        }
    }
    if !MAY_KNOW_A_CHANNEL.contains(&room) {
        wrong
            .extend(channels(&tokens).map(|krate| format!("`{room}` knows the channel `{krate}`")));
    }
    wrong
}

/// `super::super::relay::x` where it leaves the room, as `crate::relay::x`.
fn upwards(tokens: &[Token], depth: usize) -> impl Iterator<Item = Vec<String>> {
    let is_room = |name: &String| ROOMS.iter().any(|(room, _, _)| room == name);
    source::paths(tokens, |token| token == "super").into_iter().filter_map(move |path| {
        let supers = path.iter().take_while(|part| *part == "super").count();
        let outside = supers >= depth && path.get(supers).is_some_and(is_room);
        outside.then(|| [&["crate".to_owned()], &path[supers..]].concat())
    })
}

/// How far a file's module lies below the root: `intake/mod.rs` 1, `intake/schema.rs` 2.
fn depth_of(below_src: &Path) -> usize {
    let is_mod = below_src.file_stem().is_some_and(|stem| stem == "mod");
    below_src.iter().count() - usize::from(is_mod)
}

fn channels(tokens: &[Token]) -> impl Iterator<Item = &str> {
    crates(tokens).filter(|krate| *krate != "portevoix_contract")
}

fn crates(tokens: &[Token]) -> impl Iterator<Item = &str> {
    tokens.iter().map(String::as_str).filter(|token| token.starts_with("portevoix_"))
}

/// The room a file belongs to: the first part of its path below `src`.
fn room_of(below_src: &Path) -> String {
    let first = below_src.iter().next().unwrap_or_default();
    Path::new(first).file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

#[test]
fn no_room_imports_what_its_place_in_the_flow_forbids() {
    let src = source::root().join("src");
    let mut wrong = String::new();
    for file in source::rust_files(&src) {
        if file.file_name().is_some_and(|name| name == "tests.rs") {
            continue;
        }
        let below = file.strip_prefix(&src).unwrap();
        for fault in forbidden_at(&room_of(below), depth_of(below), &source::read(&file)) {
            writeln!(wrong, "src/{}: {fault}", below.display()).unwrap();
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// The crates of this workspace that a channel's file uses and must not.
fn known_too_much(krate: &str, text: &str) -> Vec<String> {
    let own = format!("portevoix_{krate}");
    let tokens = source::without_tests(&source::tokens(text));
    let others = crates(&tokens).filter(|name| *name != own && *name != "portevoix_contract");
    let daemon = tokens.iter().map(String::as_str).filter(|token| *token == "portevoix");
    others.chain(daemon).map(|name| format!("channels/{krate} uses `{name}`")).collect()
}

#[test]
fn a_channel_knows_the_contract_and_nothing_else_of_ours() {
    let channels = source::root().join("channels");
    let mut seen = 0;
    for krate in std::fs::read_dir(&channels).unwrap().flatten() {
        let name = krate.file_name().to_string_lossy().into_owned();
        for file in source::rust_files(&krate.path().join("src")) {
            seen += 1;
            assert_eq!(known_too_much(&name, &source::read(&file)), [""; 0], "{}", file.display());
        }
    }
    assert!(seen > 0, "no channel was looked at");
}

#[test]
fn a_forbidden_import_is_seen_in_every_form() {
    let forms = [
        "use crate::dispatch;",
        "use crate::dispatch::Dispatcher as D;",
        "use crate::{model::Event, dispatch::{self, Dispatcher}};",
        "use crate::{\n    store::Store,\n    dispatch::Dispatcher,\n};",
        "fn f() { crate::dispatch::run(); }",
        "pub use crate::dispatch::*;",
        "fn f() -> Vec<crate :: dispatch::X> {}",
        "use portevoix::dispatch::X;",
    ];
    for form in forms {
        let wrong = forbidden("audience", form);
        assert_eq!(wrong.len(), wrong.iter().filter(|w| w.contains("dispatch")).count(), "{form}");
        assert!(!wrong.is_empty(), "not seen: {form}");
        assert!(forbidden("app", form).is_empty(), "app may: {form}");
    }
    assert_eq!(forbidden("audience", "use crate::bus::{Bells, JetStream};").len(), 1);
    assert_eq!(forbidden("store", "use crate::app::App;"), ["`store` imports `crate::app::App`"]);
    assert_eq!(forbidden("render", "use crate::store::Store;").len(), 1);
    assert_eq!(forbidden("outbox", "use portevoix_email::Smtp;").len(), 1);
    assert_eq!(forbidden("audience", "use super::relay::x;").len(), 1);
    assert_eq!(forbidden_at("audience", 2, "use super::super::{relay::x};").len(), 1);
    assert_eq!(forbidden_at("audience", 2, "use super::relay::x;"), [""; 0], "its own relay");
    assert_eq!(forbidden("cellar", "").len(), 1);
    assert_eq!(known_too_much("sms", "use portevoix_email::x; use portevoix::store;").len(), 2);
}

#[test]
fn what_is_allowed_or_only_spoken_of_is_not_an_import() {
    let good = r##"
        //! See [`crate::dispatch`].
        use crate::{bus::{Bells, Room}, clock::Clock, model::{Event, event::Kind}, store};
        use portevoix_contract::Message;
        /* crate::dispatch::x /* nested */ crate::relay */
        pub(crate) const WORDS: &str = "crate::dispatch::x \" crate::app::y";
        const RAW: &str = r#"crate::app::"x""#;
        fn f<'a>(c: &'a str) -> char { let q = '"'; crate::store::x(q); '\'' }
        #[cfg(test)]
        mod tests {
            use crate::dispatch::x;
            fn g() { if true {} }
        }
    "##;
    assert_eq!(forbidden("audience", good), [""; 0]);
    let after = format!("{good}\nuse crate::relay::x;");
    assert_eq!(forbidden("audience", &after), ["`audience` imports `crate::relay::x`"]);
}
