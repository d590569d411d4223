use std::{sync::Arc, time::Duration};

use portevoix_contract::{Channel, Fault, Outbound, Outcome};
use portevoix_email::{Email, EmailContent, SmtpPool, SmtpServer, SmtpTimes};

use crate::{
    samples::{config, email, recipient, shaper, standard},
    sink::{Say, Scripted, Sink},
};

const NOW_MS: i64 = 1_795_424_400_000;

fn outbound(to: &str) -> Outbound<EmailContent> {
    let recipient = portevoix_contract::Recipient { address: to.to_owned(), ..recipient() };
    Outbound {
        id: "1".to_owned(),
        to: to.to_owned(),
        content: shaper().shape(&standard(), &recipient).unwrap(),
        now_ms: NOW_MS,
        deadline_ms: None,
    }
}

fn accepted(outcome: &Outcome) -> bool {
    *outcome == Outcome::Accepted { reference: "<mfrggzdfmztwq2lk@reponse.mel.example>".to_owned() }
}

async fn scripted(
    script: impl Fn(usize, &str) -> Option<Say> + Send + Sync + 'static,
) -> (Scripted, Email) {
    let server = Scripted::start(Arc::new(script)).await;
    let email = email(&server.url());
    (server, email)
}

#[tokio::test]
async fn a_real_server_takes_mails_on_a_reused_connection() {
    let sink = Sink::start(&[]).await;
    let email = email(&sink.url());
    for _ in 0..20 {
        let outcome = email.send(&outbound("camille@exemple.fr")).await;
        assert!(accepted(&outcome), "{outcome:?}");
    }
    let line = email.probe().await.unwrap();
    assert!(line.contains("answers (no TLS, no login, pipelining)"), "{line}");
}

#[tokio::test]
async fn a_server_without_pipelining_gets_one_command_at_a_time() {
    let sink = Sink::start(&["-p"]).await;
    let email = email(&sink.url());
    for _ in 0..3 {
        let outcome = email.send(&outbound("camille@exemple.fr")).await;
        assert!(accepted(&outcome), "{outcome:?}");
    }
    assert!(email.probe().await.unwrap().contains("no pipelining"));
}

#[tokio::test]
async fn a_real_server_that_refuses_is_read_right() {
    for (arguments, later) in [(["-r", "rcpt"], true), (["-f", "rcpt"], false)] {
        let sink = Sink::start(&arguments).await;
        let outcome = email(&sink.url()).send(&outbound("camille@exemple.fr")).await;
        match outcome {
            Outcome::Later { .. } => assert!(later, "{arguments:?}"),
            Outcome::Refused { .. } => assert!(!later, "{arguments:?}"),
            other => panic!("{arguments:?}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn one_refused_recipient_costs_neither_the_others_nor_the_connection() {
    let (server, email) = scripted(|_, line| match line {
        "RCPT TO:<parti@exemple.fr>" => Some(Say::Reply("550 5.1.1 <parti@exemple.fr> unknown")),
        "RCPT TO:<plein@exemple.fr>" => Some(Say::Reply("552 5.2.2 mailbox full")),
        "RCPT TO:<gris@exemple.fr>" => Some(Say::Reply("450 4.2.0 greylisted, come back")),
        _ => None,
    })
    .await;
    for (to, expected) in [
        ("a@exemple.fr", "accepted"),
        ("parti@exemple.fr", "address"),
        ("b@exemple.fr", "accepted"),
        ("plein@exemple.fr", "later"),
        ("gris@exemple.fr", "later"),
        ("c@exemple.fr", "accepted"),
    ] {
        let outcome = email.send(&outbound(to)).await;
        let name = match &outcome {
            Outcome::Accepted { .. } => "accepted",
            Outcome::Refused { fault: Fault::Address, .. } => "address",
            Outcome::Later { .. } => "later",
            other => panic!("{to}: {other:?}"),
        };
        assert_eq!(name, expected, "{to}: {outcome:?}");
        let why = format!("{outcome:?}");
        assert!(!why.contains("parti@exemple.fr"), "{why}");
    }
    let got = server.got.lock().unwrap();
    assert_eq!(got.connections, 1);
    // The script says 354 although a recipient was refused: those contents are empty.
    let real = got.mails.iter().filter(|mail| mail.contains("Subject:")).count();
    assert_eq!((real, got.mails.len()), (3, 6));
}

#[tokio::test]
async fn a_connection_cut_inside_the_content_is_tried_later_and_elsewhere() {
    let (server, email) = scripted(|connection, line| {
        (connection == 0 && line == "DATA").then_some(Say::CutContentAfter(1_000))
    })
    .await;
    let outcome = email.send(&outbound("a@exemple.fr")).await;
    assert!(matches!(outcome, Outcome::Later { .. }), "{outcome:?}");
    let outcome = email.send(&outbound("a@exemple.fr")).await;
    assert!(accepted(&outcome), "{outcome:?}");
    assert_eq!(server.got.lock().unwrap().connections, 2);
}

#[tokio::test]
async fn a_server_that_hung_up_while_we_waited_costs_nothing() {
    for end in [Say::Hang, Say::Last("421 4.4.2 idle too long")] {
        let count = std::sync::atomic::AtomicUsize::new(0);
        let (server, email) = scripted(move |connection, line| {
            let again = line.starts_with("MAIL")
                && connection == 0
                && count.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 1;
            again.then(|| end.clone())
        })
        .await;
        for _ in 0..2 {
            let outcome = email.send(&outbound("a@exemple.fr")).await;
            assert!(accepted(&outcome), "{outcome:?}");
        }
        let got = server.got.lock().unwrap();
        assert_eq!((got.connections, got.mails.len()), (2, 2));
    }
}

#[tokio::test]
async fn a_busy_server_slows_the_whole_channel() {
    for at in ["CONNECT", "MAIL"] {
        let (_server, email) = scripted(move |_, line| {
            line.starts_with(at).then_some(Say::Last("421 4.7.0 too many connections"))
        })
        .await;
        let outcome = email.send(&outbound("a@exemple.fr")).await;
        let Outcome::SlowDown { until_ms, why } = outcome else { panic!("{at}: {outcome:?}") };
        assert!(until_ms > NOW_MS && until_ms <= NOW_MS + 60_000 && why.contains("too many"));
    }
}

#[tokio::test]
async fn a_wrong_password_or_missing_tls_stops_the_channel_and_costs_no_mail() {
    let (server, _) = scripted(|_, line| {
        if line.starts_with("EHLO") {
            return Some(Say::Reply("250-scripted\r\n250 AUTH PLAIN LOGIN"));
        }
        line.starts_with("AUTH").then_some(Say::Reply("535 5.7.8 bad credentials"))
    })
    .await;
    let login = format!("smtp://mel:geheim@127.0.0.1:{}?tls=none", server.port);
    let tls = format!("smtp://127.0.0.1:{}?tls=required", server.port);
    for url in [login, tls] {
        let outcome = email(&url).send(&outbound("a@exemple.fr")).await;
        assert!(matches!(outcome, Outcome::SlowDown { .. }), "{outcome:?}");
        assert!(!format!("{outcome:?}").contains("geheim"));
    }
    assert!(server.got.lock().unwrap().commands.iter().all(|line| !line.starts_with("MAIL")));
}

#[tokio::test]
async fn a_login_that_works_comes_before_the_mail() {
    let (server, _) = scripted(|_, line| {
        if line.starts_with("EHLO") {
            return Some(Say::Reply("250-scripted\r\n250 AUTH PLAIN"));
        }
        line.starts_with("AUTH PLAIN").then_some(Say::Reply("235 2.7.0 welcome"))
    })
    .await;
    let email = email(&format!("smtp://mel:p%40ss@127.0.0.1:{}", server.port));
    assert!(accepted(&email.send(&outbound("a@exemple.fr")).await));
    let commands = server.got.lock().unwrap().commands.clone();
    // base64 of NUL mel NUL p@ss
    assert!(commands.contains(&"AUTH PLAIN AG1lbABwQHNz".to_owned()), "{commands:?}");
}

#[tokio::test]
async fn nobody_there_or_nobody_answering_is_later() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    // Bound but never accepted from: the greeting never comes.
    let mut silent = config(&format!("smtp://127.0.0.1:{port}"));
    silent.times.connect = Duration::from_millis(200);
    let outcome = Email::new(silent).unwrap().send(&outbound("a@exemple.fr")).await;
    assert!(matches!(outcome, Outcome::Later { .. }), "{outcome:?}");
    drop(free);
    let outcome = email(&format!("smtp://127.0.0.1:{port}")).send(&outbound("a@exemple.fr")).await;
    assert!(matches!(outcome, Outcome::Later { .. }), "{outcome:?}");
}

#[tokio::test]
async fn no_more_connections_than_allowed_and_old_ones_are_left() {
    let (server, _) = scripted(|_, _| None).await;
    let url = server.url().into();
    let times = SmtpTimes { idle: Duration::ZERO, ..SmtpTimes::default() };
    let pool =
        SmtpPool::new(SmtpServer::new(&url, None, Some("g")).unwrap(), 3, SmtpTimes::default());
    let sends = (0..60).map(|_| {
        let pool = pool.clone();
        tokio::spawn(
            async move { pool.send_raw("b@x.fr", "a@x.fr", b"Subject: x\r\n\r\n.x\r\n").await },
        )
    });
    for send in sends.collect::<Vec<_>>() {
        assert!(matches!(send.await.unwrap(), Outcome::Accepted { .. }));
    }
    assert!((1..=3).contains(&server.got.lock().unwrap().connections));
    assert!(server.got.lock().unwrap().mails.iter().all(|mail| mail.contains("\r\n..x\r\n.\r\n")));
    let before = server.got.lock().unwrap().connections;
    let pool = SmtpPool::new(SmtpServer::new(&url, None, Some("g")).unwrap(), 3, times);
    for _ in 0..3 {
        pool.send_raw("b@x.fr", "a@x.fr", b"x\r\n").await;
    }
    assert_eq!(server.got.lock().unwrap().connections, before + 3);
}
