//! Conversations whose records were taken the wrong way round: between two ports that are no known service's, nothing in one record
//! tells who began, and the lower port is taken for the service's. All records of two hosts together do tell: the side that always
//! has the same port, while the other has many, is the service, if the two really spoke, if the many-ported side spoke alone, or if
//! the one-ported side only reset what came.

use rustc_hash::{FxHashMap, FxHashSet};

use super::conversation::{Code, Key, SYN, Tally, has_ports, is_loose};
use super::fold::Fold;

/// From so many ports on one side against one on the other it can be told.
const PORTS_MIN: usize = 4;

/// What takes the place of some conversations of a fold.
#[derive(Default)]
pub(crate) struct Turned {
    /// The numbers of the conversations that are gone.
    pub(crate) gone: FxHashSet<u32>,
    /// Those that stand for them.
    pub(crate) talks: Vec<(Key, Tally)>,
    places: FxHashMap<Key, usize>,
}

/// A conversation that may be the wrong way round: client, server, protocol with the client's port, the server's port, number.
type Candidate = (Code, Code, u32, u16, u32);

impl Turned {
    /// Looks through a fold.
    pub(crate) fn of(fold: &Fold) -> Turned {
        let mut candidates: Vec<Candidate> = vec![];
        for (number, (key, tally)) in fold.talks.iter().enumerate() {
            let open = !key.twin && has_ports(key.protocol) && is_loose(key.port) && !tally.has(SYN);
            if let Some(port) = tally.one_port().filter(|port| open && is_loose(*port)) {
                let side = u32::from(key.protocol) << 16 | u32::from(port);
                candidates.push((key.client, key.server, side, key.port, number as u32));
            }
        }
        candidates.sort_unstable();
        let mut turned = Turned::default();
        for group in candidates.chunk_by(|a, b| (a.0, a.1, a.2) == (b.0, b.1, b.2)) {
            let ports = group.chunk_by(|a, b| a.3 == b.3).count();
            let talks: Vec<&(Key, Tally)> = group.iter().filter_map(|candidate| fold.talks.entry(candidate.4)).collect();
            if ports >= PORTS_MIN && wrong_way(&talks) {
                turned.take(fold, group);
            }
        }
        turned
    }

    fn take(&mut self, fold: &Fold, group: &[Candidate]) {
        for (_, _, side, _, number) in group {
            let Some((key, tally)) = fold.talks.entry(*number) else { continue };
            let now = Key { client: key.server, server: key.client, port: *side as u16, ..*key };
            self.gone.insert(*number);
            self.add(fold, now, &tally.turned(key.port, key.client >> 63 == 1));
        }
    }

    fn add(&mut self, fold: &Fold, key: Key, tally: &Tally) {
        if let Some(held) = self.places.get(&key).and_then(|place| self.talks.get_mut(*place)) {
            return held.1.add(tally);
        }
        let mut sum = *tally;
        if let Some((number, held)) = fold.talks.find(&key) {
            self.gone.insert(number);
            sum.add(held);
        }
        self.places.insert(key, self.talks.len());
        self.talks.push((key, sum));
    }

    /// What is known of a conversation that was turned.
    pub(crate) fn get(&self, key: &Key) -> Option<&Tally> {
        self.places.get(key).and_then(|place| self.talks.get(*place)).map(|(_, tally)| tally)
    }
}

fn wrong_way(talks: &[&(Key, Tally)]) -> bool {
    let count = |is: &dyn Fn(&Key, &Tally) -> bool| talks.iter().filter(|(key, tally)| is(key, tally)).count() * 2;
    let spoke = |_: &Key, tally: &Tally| tally.forth.flows > 0 && tally.back.flows > 0 && !tally.failed();
    let alone = |_: &Key, tally: &Tally| tally.forth.flows == 0;
    let resets = |key: &Key, tally: &Tally| key.protocol == 6 && tally.resets_probes(key.client >> 63 == 1);
    count(&spoke) > talks.len() || count(&alone) > talks.len() || count(&resets) > talks.len()
}
