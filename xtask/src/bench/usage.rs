//! What processes used, as Linux counts it.

use std::fs;

use anyhow::{Context, Result};

use crate::shell::output;

#[derive(Debug, Clone, Copy, Default)]
pub struct Usage {
    /// User and system time.
    pub cpu_seconds: f64,
    /// The most memory that was ever resident (`VmHWM`).
    pub peak_mb: f64,
}

impl Usage {
    /// Of one process.
    pub fn of(pid: u32) -> Result<Self> {
        let status = fs::read_to_string(format!("/proc/{pid}/status"))
            .with_context(|| format!("failed to read the status of {pid}"))?;
        let peak = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .and_then(|value| value.split_whitespace().next()?.parse::<f64>().ok())
            .context("failed to find VmHWM")?;
        let stat = Stat::of(pid)?;
        Ok(Self { cpu_seconds: stat.own / ticks_a_second()?, peak_mb: peak / 1024.0 })
    }

    /// Of a process, its children that live, and those that have ended.
    pub fn of_family(pid: u32) -> Result<Self> {
        let parent = Stat::of(pid)?;
        let children: f64 = fs::read_dir("/proc")
            .context("failed to list processes")?
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            // one that ends while we look is among the ended ones next time
            .filter_map(|other| Stat::of(other).ok())
            .filter(|stat| stat.parent == pid)
            .map(|stat| stat.own)
            .sum();
        let ticks = parent.own + parent.ended_children + children;
        Ok(Self { cpu_seconds: ticks / ticks_a_second()?, peak_mb: 0.0 })
    }
}

/// Times in clock ticks.
struct Stat {
    parent: u32,
    own: f64,
    ended_children: f64,
}

impl Stat {
    fn of(pid: u32) -> Result<Self> {
        let text = fs::read_to_string(format!("/proc/{pid}/stat"))
            .with_context(|| format!("failed to read the times of {pid}"))?;
        // the name, in parentheses, may hold anything; fields are counted from behind it (proc(5))
        let (_, fields) = text.rsplit_once(") ").context("failed to read /proc/PID/stat")?;
        let fields: Vec<&str> = fields.split(' ').collect();
        let field = |number: usize| -> Result<f64> {
            let text = fields.get(number - 3).context("failed to read /proc/PID/stat")?;
            text.parse().context("failed to read /proc/PID/stat")
        };
        let parent = fields.get(1).and_then(|parent| parent.parse().ok()).unwrap_or(0);
        Ok(Self { parent, own: field(14)? + field(15)?, ended_children: field(16)? + field(17)? })
    }
}

fn ticks_a_second() -> Result<f64> {
    let ticks = output(std::process::Command::new("getconf").arg("CLK_TCK"))?;
    ticks.trim().parse().context("failed to read CLK_TCK")
}
