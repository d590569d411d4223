//! inbox/mail
