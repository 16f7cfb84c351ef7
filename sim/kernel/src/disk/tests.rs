//! The disk against a model that keeps whole records in lists, and its framing against every single damage.

use super::*;
use base::Seed;
use proptest::prelude::*;

fn disk() -> Disk {
    Disk::new(Dist::Constant(Duration::ms(2)))
}

fn read(disk: &Disk) -> Vec<Vec<u8>> {
    disk.read_all().map(<[u8]>::to_vec).collect()
}

/// A disk on which each of `records` is durable.
fn written(records: &[&[u8]]) -> Disk {
    let mut disk = disk();
    for record in records {
        disk.append(record).unwrap();
    }
    let sync = disk.sync(&mut Seed(0).stream("sync"));
    assert!(disk.synced(sync.token));
    disk
}

#[test]
fn a_sync_covers_what_was_written_before_it_began() {
    let mut draw = Seed(1).stream("disk");
    let mut disk = disk();
    assert_eq!(disk.append(b"covered"), Ok(0));
    let sync = disk.sync(&mut draw);
    assert_eq!(sync.takes, Duration::ms(2));
    assert_eq!(disk.append(b"too late"), Ok(19), "seven bytes and a header");
    assert!(!disk.is_durable());
    assert!(disk.synced(sync.token));
    assert!(!disk.is_durable());
    let mut fates = [0; 3];
    for seed in 0..400 {
        let mut copy = disk.clone();
        copy.crash(&mut Seed(seed).stream("crash"));
        let Recovery { records, reason, .. } = copy.recover();
        fates[match (records, reason) {
            (1, Reason::Clean) => 0,
            (1, Reason::Torn) => 1,
            (2, Reason::Clean) => 2,
            other => panic!("{other:?}"),
        }] += 1;
    }
    assert!(fates.iter().all(|&n| n > 60), "lost, torn, kept: {fates:?}");
}

#[test]
fn a_sync_that_a_crash_interrupted_makes_nothing_durable() {
    let mut draw = Seed(1).stream("disk");
    let mut disk = disk();
    let interrupted = disk.sync(&mut draw);
    disk.crash(&mut draw);
    disk.append(b"after").unwrap();
    assert!(!disk.synced(interrupted.token));
    assert!(!disk.is_durable());
}

#[test]
fn a_sync_of_what_recovery_cut_off_makes_nothing_durable() {
    let mut draw = Seed(1).stream("disk");
    let mut disk = written(&[b"a record that rots"]);
    disk.append(b"cached").unwrap();
    let outstanding = disk.sync(&mut draw);
    disk.corrupt(&mut draw);
    assert_eq!(disk.recover().reason, Reason::Corrupt);
    assert!(disk.is_durable(), "nothing is left that a crash could take");
    disk.append(b"one").unwrap();
    disk.append(b"reaches past the bytes that the sync was of").unwrap();
    assert!(!disk.synced(outstanding.token));
    assert!(!disk.is_durable());
}

#[test]
fn a_slow_disk_takes_its_factor_longer() {
    let mut draw = Seed(1).stream("disk");
    let mut disk = disk();
    disk.set_slow(25.0);
    assert_eq!(disk.sync(&mut draw).takes, Duration::ms(50));
    disk.set_slow(1.0);
    assert_eq!(disk.sync(&mut draw).takes, Duration::ms(2));
}

#[test]
fn a_full_disk_refuses_and_loses_nothing() {
    let mut disk = written(&[b"one"]);
    disk.set_capacity(15 + 16);
    assert_eq!(disk.append(b"12345"), Err(DiskFull { needed: 17, free: 16 }));
    assert_eq!(disk.replace([b"12345"]), Err(DiskFull { needed: 17, free: 16 }));
    assert_eq!(read(&disk), [b"one"]);
    assert_eq!(disk.append(b"1234"), Ok(15), "it fits to the byte");
    assert_eq!(disk.bytes(), 31);
    disk.set_capacity(usize::MAX);
    disk.set_full(true);
    let refused = disk.append(b"").unwrap_err();
    assert_eq!(refused.to_string(), "no room for 12 bytes on a disk with 0 free; nothing was written");
    assert!(disk.replace([b""; 0]).is_err());
    disk.set_full(false);
    assert_eq!(read(&disk), [&b"one"[..], b"1234"]);
}

#[test]
fn every_cut_is_torn_and_every_flipped_bit_is_corrupt() {
    let records: [&[u8]; 3] = [b"first", b"", b"third one"];
    let whole = written(&records);
    let ends = [0, 17, 29, 50];
    for cut in 0..=50 {
        let mut disk = whole.clone();
        disk.current.log.truncate(cut);
        let intact = ends.iter().filter(|&&end| end > 0 && end <= cut).count();
        let reason = if ends.contains(&cut) { Reason::Clean } else { Reason::Torn };
        let dropped_bytes = cut - ends[intact];
        assert_eq!(disk.recover(), Recovery { records: intact, dropped_bytes, reason }, "cut at {cut}");
        assert_eq!(read(&disk), records[..intact]);
    }
    for bit in 0..50 * 8 {
        let mut disk = whole.clone();
        disk.current.log[bit / 8] ^= 1 << (bit % 8);
        let intact = ends.iter().filter(|&&end| end > 0 && end <= bit / 8).count();
        let expected = Recovery { records: intact, dropped_bytes: 50 - ends[intact], reason: Reason::Corrupt };
        assert_eq!(disk.recover(), expected, "bit {bit}");
        assert_eq!(read(&disk), records[..intact]);
    }
}

#[test]
fn zeros_are_not_a_record() {
    // A file system that extends a file before it writes the data leaves zeros. An empty record must look different.
    let mut disk = disk();
    disk.current.log = vec![0; 64];
    assert_eq!(disk.recover(), Recovery { records: 0, dropped_bytes: 64, reason: Reason::Corrupt });
}

#[test]
fn what_is_appended_after_recovery_can_be_read() {
    let mut disk = written(&[b"kept"]);
    disk.append(b"torn away").unwrap();
    disk.current.log.truncate(20);
    disk.current.ends.clear();
    assert_eq!(disk.recover(), Recovery { records: 1, dropped_bytes: 4, reason: Reason::Torn });
    assert_eq!(disk.append(b"next"), Ok(16));
    assert_eq!(disk.recover(), Recovery { records: 2, dropped_bytes: 0, reason: Reason::Clean });
    assert_eq!(read(&disk), [b"kept", b"next"]);
}

#[test]
fn a_replaced_log_is_the_old_one_or_the_new_one() {
    let mut disk = written(&[b"a", b"b"]);
    disk.replace([b"a+b"]).unwrap();
    assert_eq!(read(&disk), [b"a+b"]);
    assert_eq!(disk.bytes(), 13 + 13 + 15, "the old log still takes up room");
    let mut seen = [0; 2];
    for seed in 0..200 {
        let mut copy = disk.clone();
        copy.crash(&mut Seed(seed).stream("crash"));
        assert_eq!(copy.recover().reason, Reason::Clean);
        let new = read(&copy) == [b"a+b"];
        assert!(new || read(&copy) == [b"a", b"b"]);
        seen[usize::from(new)] += 1;
    }
    assert!(seen.iter().all(|&n| n > 60), "old, new: {seen:?}");
    let sync = disk.sync(&mut Seed(0).stream("sync"));
    disk.synced(sync.token);
    assert_eq!(disk.bytes(), 15);
    for seed in 0..50 {
        let mut copy = disk.clone();
        copy.crash(&mut Seed(seed).stream("crash"));
        assert_eq!(read(&copy), [b"a+b"]);
    }
}

#[test]
fn crash_and_bit_rot_take_one_draw_whatever_they_find() {
    let after = |disk: &mut Disk| {
        let mut draw = Seed(3).stream("disk");
        disk.corrupt(&mut draw);
        disk.crash(&mut draw);
        draw.next_u64()
    };
    let mut busy = written(&[b"one", b"two"]);
    busy.append(b"three").unwrap();
    assert_eq!(after(&mut disk()), after(&mut busy));
}

/// What a test does to a disk.
#[derive(Clone, Debug)]
enum Act {
    Append(Vec<u8>),
    BeginSync,
    /// Completes one of the outstanding syncs, whichever the number points at.
    EndSync(usize),
    Replace(Vec<Vec<u8>>),
    Crash(u64),
    SetFull(bool),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let record = || proptest::collection::vec(any::<u8>(), 0..24);
    let act = prop_oneof![
        8 => record().prop_map(Act::Append),
        3 => Just(Act::BeginSync),
        3 => any::<usize>().prop_map(Act::EndSync),
        1 => proptest::collection::vec(record(), 0..4).prop_map(Act::Replace),
        1 => any::<u64>().prop_map(Act::Crash),
        1 => any::<bool>().prop_map(Act::SetFull),
    ];
    proptest::collection::vec(act, 0..60)
}

/// A file as the model sees it: its records, and how many of them are durable.
#[derive(Clone, Debug, Default)]
struct ModelFile {
    name: usize,
    records: Vec<Vec<u8>>,
    durable: usize,
}

proptest! {
    #[test]
    fn a_crash_leaves_what_the_model_allows(acts in acts()) {
        let mut disk = disk();
        let mut draw = Seed(5).stream("sync");
        // All files that a crash could bring back, the current one last.
        let mut files = vec![ModelFile::default()];
        let mut names = 0;
        let mut syncs: Vec<(SyncToken, usize, usize)> = Vec::new();
        let mut full = false;
        for act in acts {
            match act {
                Act::Append(record) => {
                    prop_assert_eq!(disk.append(&record).is_err(), full);
                    if !full {
                        files.last_mut().unwrap().records.push(record);
                    }
                }
                Act::BeginSync => {
                    let current = files.last().unwrap();
                    syncs.push((disk.sync(&mut draw).token, current.name, current.records.len()));
                }
                Act::EndSync(_) if syncs.is_empty() => {}
                Act::EndSync(which) => {
                    let (token, name, upto) = syncs.remove(which % syncs.len());
                    prop_assert!(disk.synced(token));
                    files.retain(|file| file.name >= name);
                    if let Some(file) = files.iter_mut().find(|file| file.name == name) {
                        file.durable = file.durable.max(upto);
                    }
                }
                Act::Replace(records) => {
                    prop_assert_eq!(disk.replace(&records).is_err(), full);
                    if !full {
                        names += 1;
                        files.push(ModelFile { name: names, durable: records.len(), records });
                    }
                }
                Act::Crash(seed) => {
                    disk.crash(&mut Seed(seed).stream("crash"));
                    let raw = disk.current.log.len();
                    let recovery = disk.recover();
                    let survived = read(&disk);
                    prop_assert_eq!(recovery.records, survived.len());
                    prop_assert_eq!(recovery.dropped_bytes, raw - disk.bytes());
                    prop_assert_ne!(recovery.reason, Reason::Corrupt, "a crash damages nothing that was durable");
                    prop_assert_eq!(recovery.reason == Reason::Clean, recovery.dropped_bytes == 0);
                    let allowed = files.iter().any(|file| {
                        survived.len() >= file.durable && file.records.starts_with(&survived)
                    });
                    prop_assert!(allowed, "{:?} is left of {:?}", survived, files);
                    for (token, ..) in syncs.drain(..) {
                        prop_assert!(!disk.synced(token));
                    }
                    names += 1;
                    files = vec![ModelFile { name: names, durable: survived.len(), records: survived }];
                }
                Act::SetFull(now) => {
                    disk.set_full(now);
                    full = now;
                }
            }
            prop_assert_eq!(&read(&disk), &files.last().unwrap().records);
            let safe = files.len() == 1 && files[0].durable == files[0].records.len();
            prop_assert_eq!(disk.is_durable(), safe);
        }
    }

    #[test]
    fn bit_rot_is_always_found_and_never_returned(
        durable in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 1..8),
        cached in proptest::collection::vec(any::<u8>(), 0..40),
        seed in any::<u64>(),
    ) {
        let records: Vec<&[u8]> = durable.iter().map(Vec::as_slice).collect();
        let mut disk = written(&records);
        let synced_bytes = disk.bytes() as u64;
        disk.append(&cached).unwrap();
        let byte = disk.corrupt(&mut Seed(seed).stream("rot")).unwrap();
        prop_assert!(byte < synced_bytes);
        let recovery = disk.recover();
        prop_assert_eq!(recovery.reason, Reason::Corrupt);
        prop_assert!(recovery.records < durable.len());
        prop_assert_eq!(&read(&disk)[..], &durable[..recovery.records]);
        prop_assert!(disk.bytes() as u64 <= byte);
    }
}
