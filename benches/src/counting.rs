//! An allocator that counts and passes everything on to the system's, and what it has counted.
//!
//! A program that wants to count makes it its own: `#[global_allocator] static ALLOCATOR: Counting = Counting;`.
//! Elsewhere all counts stay zero. It counts per thread, so that tests run side by side.
#![expect(unsafe_code, reason = "an allocator is an unsafe trait; this one counts and passes everything on")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// What was asked of the allocator.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// Allocations and reallocations.
    pub asked: u64,
    /// Bytes allocated and not freed.
    pub live: i64,
    /// The most bytes live at once.
    pub peak: i64,
}

thread_local! {
    static USAGE: Cell<Usage> = const { Cell::new(Usage { asked: 0, live: 0, peak: 0 }) };
}

/// What `work` gives, and what this thread asked of the allocator for it.
pub fn usage_of<T>(work: impl FnOnce() -> T) -> (T, Usage) {
    let before = USAGE.replace(Usage::default());
    let result = work();
    let usage = USAGE.replace(before);
    (result, usage)
}

/// The allocator.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counting;

fn count(asked: u64, bytes: i64) {
    // Nobody counts any more while a thread takes its storage apart.
    let _ = USAGE.try_with(|cell| {
        let Usage { asked: before, live, peak } = cell.get();
        let live = live + bytes;
        cell.set(Usage { asked: before + asked, live, peak: peak.max(live) });
    });
}

// SAFETY: every call is passed on to the system's allocator as it came, and its answer passed back.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(1, layout.size() as i64);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count(0, -(layout.size() as i64));
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(1, size as i64 - layout.size() as i64);
        // SAFETY: as above.
        unsafe { System.realloc(at, layout, size) }
    }
}
