//! The 95 communes of the metropolis, by INSEE code (Code officiel géographique).
//!
//! The table stands in `communes.csv` with its source and its licence.

use std::sync::LazyLock;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commune {
    /// INSEE code, five characters.
    pub code: &'static str,
    pub name: &'static str,
    /// Municipal population (INSEE's « population municipale »).
    pub population: u32,
    pub postcodes: Vec<&'static str>,
}

static COMMUNES: LazyLock<Vec<Commune>> =
    LazyLock::new(|| include_str!("communes.csv").lines().filter_map(row).collect());

/// A data row; comment lines and the header have no number in the population column.
fn row(line: &'static str) -> Option<Commune> {
    let mut cells = line.split(',');
    let (code, name) = (cells.next()?, cells.next()?);
    let population = cells.nth(2)?.parse().ok()?;
    let postcodes = cells.nth(1)?.split_whitespace().collect();
    (code.len() == 5).then_some(Commune { code, name, population, postcodes })
}

/// All communes, ordered by code.
#[must_use]
pub fn all() -> &'static [Commune] {
    &COMMUNES
}

/// The commune of an INSEE code.
#[must_use]
pub fn find(code: &str) -> Option<&'static Commune> {
    all().binary_search_by(|commune| commune.code.cmp(code)).ok().map(|at| &all()[at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_metropolis_is_whole() {
        assert_eq!(all().len(), 95);
        assert!(all().is_sorted_by(|a, b| a.code < b.code));
        assert_eq!(find("59350").map(|c| c.name), Some("Lille"));
        assert_eq!(find("75056"), None);
        assert!(all().iter().all(|c| c.population > 0 && !c.postcodes.is_empty()));
    }
}
