use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// One message at a time in a chat, a gap apart.
pub(crate) struct ChatPace {
    gap: Duration,
    next: Mutex<HashMap<i64, Instant>>,
}

/// Chats remembered before those whose gap is over are forgotten.
const REMEMBERED: usize = 1_024;

impl ChatPace {
    pub(crate) fn new(gap: Duration) -> Self {
        Self { gap, next: Mutex::default() }
    }

    /// Waits for this chat's turn.
    pub(crate) async fn turn(&self, chat: i64) {
        tokio::time::sleep_until(self.reserve(chat, Instant::now())).await;
    }

    fn reserve(&self, chat: i64, now: Instant) -> Instant {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        if next.len() >= REMEMBERED {
            next.retain(|_, at| *at > now);
        }
        let turn = next.get(&chat).copied().unwrap_or(now).max(now);
        next.insert(chat, turn + self.gap);
        turn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_chat_waits_and_another_does_not() {
        let second = Duration::from_secs(1);
        let pace = ChatPace::new(second);
        let now = Instant::now();
        assert_eq!(pace.reserve(1, now), now);
        assert_eq!(pace.reserve(2, now), now);
        assert_eq!(pace.reserve(1, now), now + second);
        assert_eq!(pace.reserve(1, now), now + 2 * second);
        assert_eq!(pace.reserve(1, now + 9 * second), now + 9 * second);
    }

    #[test]
    fn chats_that_may_be_written_to_again_are_forgotten() {
        let pace = ChatPace::new(Duration::from_secs(1));
        let now = Instant::now();
        for chat in 0..i64::try_from(REMEMBERED).unwrap() {
            pace.reserve(chat, now);
        }
        pace.reserve(-1, now + Duration::from_secs(2));
        assert_eq!(pace.next.lock().unwrap().len(), 1);
    }
}
