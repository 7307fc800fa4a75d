//! Inputs on all threads, in their order, with progress on a terminal.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use detect::{Hit, Link, Matcher, RuleSet};

use crate::logfiles::{Files, Input, Outcome};

/// What one file gave.
pub(super) struct Found {
    pub(super) outcome: Outcome,
    pub(super) hits: Vec<Hit>,
    pub(super) links: Vec<Link>,
    pub(super) span: Option<(i64, i64)>,
}

/// What a thread keeps from one input to the next.
pub(super) struct Worker<'r> {
    pub(super) rules: &'r RuleSet,
    pub(super) files: Files,
    pub(super) matcher: Matcher<'r>,
}

impl Worker<'_> {
    fn one(&mut self, number: u32, input: &Input) -> Found {
        self.matcher.turn_to(number);
        let (rules, matcher) = (self.rules, &mut self.matcher);
        let (mut span, mut undated): (Option<(i64, i64)>, u64) = (None, 0);
        let mut outcome = self.files.read(input, rules.paths(), &mut |event| {
            undated += u64::from(!widen(&mut span, detect::seconds(event, rules.standard())));
            matcher.see(event);
        });
        outcome.undated = undated;
        Found { outcome, hits: std::mem::take(&mut matcher.hits), links: std::mem::take(&mut matcher.links), span }
    }
}

/// Takes a time into a span; says whether it is one.
pub(super) fn widen(span: &mut Option<(i64, i64)>, time: i64) -> bool {
    if time > 0 {
        *span = Some(span.map_or((time, time), |(first, last)| (first.min(time), last.max(time))));
    }
    time > 0
}

/// Reads inputs on all threads; what they gave comes in their order.
pub(super) fn together(
    workers: &mut [Worker<'_>],
    first: u32,
    inputs: &[Input],
    done: &(dyn Fn(&Found, &Input) + Sync),
) -> Vec<Found> {
    let next = AtomicUsize::new(0);
    let work = |worker: &mut Worker<'_>| {
        let mut found = vec![];
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(input) = inputs.get(at) else { return found };
            let one = worker.one(first + at as u32, input);
            done(&one, input);
            found.push((at, one));
        }
    };
    let Some((own, others)) = workers.split_first_mut() else { return vec![] };
    let mut found: Vec<(usize, Found)> = std::thread::scope(|scope| {
        let others: Vec<_> = others.iter_mut().take(inputs.len() - 1).map(|worker| scope.spawn(|| work(worker))).collect();
        let mut found = work(own);
        for thread in others {
            match thread.join() {
                Ok(more) => found.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        found
    });
    found.sort_by_key(|(at, _)| *at);
    found.into_iter().map(|(_, found)| found).collect()
}

/// How far the run is: bytes as they lie on disk, events a second, time left. Nothing where nobody looks.
pub(super) struct Progress {
    bar: indicatif::ProgressBar,
    events: AtomicU64,
}

impl Progress {
    /// A bar over these inputs.
    pub(super) fn new(inputs: &[Input]) -> Progress {
        let events = AtomicU64::new(0);
        if inputs.len() < 3 || !std::io::stderr().is_terminal() {
            return Progress { bar: indicatif::ProgressBar::hidden(), events };
        }
        let bar = indicatif::ProgressBar::new(inputs.iter().map(Input::bytes).sum());
        if let Ok(style) = indicatif::ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes}, {msg}, {eta} left") {
            bar.set_style(style);
        }
        Progress { bar, events }
    }

    /// An input is read.
    pub(super) fn step(&self, events: u64, input: &Input) {
        if self.bar.is_hidden() {
            return;
        }
        let total = self.events.fetch_add(events, Ordering::Relaxed) + events;
        let rate = total as f64 / self.bar.elapsed().as_secs_f64().max(0.001);
        self.bar.set_message(format!("{total} events, {rate:.0} a second"));
        self.bar.inc(input.bytes());
    }

    /// Takes the bar away.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
