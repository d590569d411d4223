use anyhow::{Result, bail};
pub fn command(_: &[String]) -> Result<()> {
    bail!("later")
}
