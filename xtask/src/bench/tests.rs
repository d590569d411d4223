use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
};

use super::{
    servers::{Nats, Postgres, Sink},
    usage::Usage,
    world::World,
};

/// One mail over SMTP by hand, the number of lines said and answered.
fn mail(sink: &Sink) {
    let address = sink.url().replace("smtp://", "").replace("?tls=none", "");
    let mut stream = TcpStream::connect(address).unwrap();
    let mut answers = BufReader::new(stream.try_clone().unwrap()).lines();
    answers.next().unwrap().unwrap();
    let text = "Subject: x\r\n\r\nBonjour\r\n.";
    for line in ["HELO x", "MAIL FROM:<a@b.org>", "RCPT TO:<c@d.org>", "DATA", text] {
        stream.write_all(format!("{line}\r\n").as_bytes()).unwrap();
        let answer = answers.next().unwrap().unwrap();
        assert!(answer.starts_with(['2', '3']), "{line}: {answer}");
    }
}

#[test]
fn sink_counts_and_keeps() {
    let world = World::new("test-sink", 3).unwrap();
    assert_eq!(std::fs::read_to_string(world.citizens()).unwrap().lines().count(), 4);
    let sink = Sink::start_keeping(&world).unwrap();
    assert_eq!(sink.count().unwrap(), 0);
    mail(&sink);
    sink.wait_for(1, || Ok(())).unwrap();
    let kept = std::fs::read_to_string(sink.only_mail().unwrap()).unwrap();
    assert!(kept.starts_with("Subject: x\r\n\r\nBonjour\r\n"), "{kept}");
    mail(&sink);
    sink.wait_for(2, || Ok(())).unwrap();
    assert!(sink.only_mail().is_err(), "two mails");
    assert!(Usage::of(sink.pid()).unwrap().peak_mb > 0.5);
    world.remove().unwrap();
}

#[test]
fn servers_start_and_are_measured() {
    let world = World::new("test-servers", 1).unwrap();
    let nats = Nats::start(&world).unwrap();
    assert!(TcpStream::connect(nats.url().replace("nats://", "")).is_ok());
    let postgres = Postgres::start(&world).unwrap();
    assert!(postgres.url().starts_with("postgres://postgres@127.0.0.1:"));
    let own = Usage::of(postgres.pid()).unwrap();
    let family = Usage::of_family(postgres.pid()).unwrap();
    assert!(family.cpu_seconds >= own.cpu_seconds);
    drop((nats, postgres));
    world.remove().unwrap();
}

#[test]
fn citizens_stop_being_waited_for_when_nothing_comes() {
    let world = World::new("test-gone", 1).unwrap();
    let sink = Sink::start(&world).unwrap();
    assert!(sink.wait_for(1, || anyhow::bail!("the daemon ended")).is_err());
    world.remove().unwrap();
}
