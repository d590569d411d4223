//! Free ports that stay free while their server is stopped.

use std::{
    net::TcpListener,
    sync::atomic::{AtomicU16, Ordering},
};

/// Below the range from which Linux takes the local ports of outgoing connections (32768): a
/// server that is stopped and started again finds its port as it left it.
const FIRST: u16 = 15_000;
const COUNT: u16 = 16_000;

static NEXT: AtomicU16 = AtomicU16::new(0);

/// A port on 127.0.0.1 that nothing listens on, and that this process hands out once.
pub fn free() -> u16 {
    // test processes that run at the same time begin at different places
    let start = u16::try_from(u64::from(std::process::id()) * 641 % u64::from(COUNT))
        .expect("smaller than a u16");
    for _ in 0..COUNT {
        let step = NEXT.fetch_add(1, Ordering::Relaxed) % COUNT;
        let port = FIRST + (start + step) % COUNT;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no free port from {FIRST} on");
}
