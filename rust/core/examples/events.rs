//! Time and memory to find duplicates among events: `cargo run --release --features fuzzing --example events --
//! 50000000 21` adds the first number of events, and then the second number in a hundred of them again.

#![expect(clippy::print_stdout, reason = "a program")]

use std::fs;
use std::time::Instant;

use ctfast_core::fuzzing::Events;

/// The event of this number, spread like a hash.
fn event(number: u64) -> [u8; 32] {
    let mut words = [0; 4];
    let mut state = number;
    for word in &mut words {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        *word = mixed ^ mixed >> 31;
        state = *word;
    }
    std::array::from_fn(|byte| words[byte / 8].to_le_bytes()[byte % 8])
}

fn main() {
    let mut numbers = std::env::args().skip(1).map(|argument| argument.parse::<u64>().expect("a number"));
    let (count, share) = (numbers.next().unwrap_or(1_000_000), numbers.next().unwrap_or(21));
    let mut events = Events::default();
    let start = Instant::now();
    let new = (0..count).filter(|&number| events.put(event(number)).expect("a disk")).count();
    println!("{new} of {count} are new: {:?}", start.elapsed());
    let start = Instant::now();
    let again = count / 100 * share;
    let new = (0..again).filter(|&number| events.put(event(number)).expect("a disk")).count();
    println!("{new} of {again} are new: {:?}", start.elapsed());
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().filter(|line| line.starts_with("VmHWM")).for_each(|line| println!("{line}"));
}
