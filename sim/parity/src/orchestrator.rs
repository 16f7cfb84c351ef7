//! Makes and ends instances for real: a node and its process for each one created, a signal for each one stopped.
//!
//! As in the world it is no process of its own but answers at once, like the API of a platform; it compares fencing
//! tokens and stops who does not serve first, then the youngest.

use crate::board::Board;
use crate::net::{Split, ip, now};
use crate::setup::{Plant, Setup, Whom};
use crate::{caller_node, control_node, instance_node, registry_node};
use base::{Duration, FencingToken, InstanceId, Instant, NodeId, Ratio, Seed, VersionId, ZoneId};
use madsim::net::NetSim;
use madsim::runtime::Handle;
use rollout::{Instances, Observation};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard};

/// The cluster as all processes share it.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) setup: Arc<Setup>,
    pub(crate) seed: Seed,
    board: Arc<Mutex<Board>>,
    fleet: Arc<Mutex<Fleet>>,
}

/// A node: where it is, and what madsim calls it.
#[derive(Clone, Copy, Debug)]
struct Machine {
    id: madsim::task::NodeId,
    zone: ZoneId,
    lives: u64,
}

/// Where an instance is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    Starting,
    Serving,
    Draining,
    Gone,
}

#[derive(Debug)]
struct Instance {
    version: VersionId,
    life: Life,
    serving_since: Instant,
    /// Neither killed nor paused.
    running: bool,
}

#[derive(Debug, Default)]
struct Fleet {
    machines: Vec<Machine>,
    whom: BTreeMap<Whom, NodeId>,
    instances: Vec<Instance>,
    desired: BTreeMap<VersionId, u32>,
    newest: FencingToken,
    split: Option<Split>,
    /// Zones that are cut off at present.
    cut_off: Vec<ZoneId>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // One thread runs everything; the mutex is there because madsim wants its closures to be `Send`.
    mutex.try_lock().expect("nobody holds it across an await")
}

/// A disk: it survives its process, and loses nothing.
pub(crate) type Disk = Arc<Mutex<Vec<Vec<u8>>>>;

pub(crate) fn append(disk: &Disk, record: Vec<u8>) {
    lock(disk).push(record);
}

pub(crate) fn records(disk: &Disk) -> Vec<Vec<u8>> {
    lock(disk).clone()
}

impl Shared {
    pub(crate) fn new(setup: &Setup, seed: Seed) -> Self {
        let (board, fleet) = Default::default();
        Shared { setup: Arc::new(setup.clone()), seed, board, fleet }
    }

    /// What can be seen of the cluster.
    pub(crate) fn board(&self) -> MutexGuard<'_, Board> {
        lock(&self.board)
    }

    pub(crate) fn has(&self, plant: Plant) -> bool {
        self.setup.plant == Some(plant)
    }

    /// The node that plays a part.
    pub(crate) fn node(&self, whom: Whom) -> NodeId {
        lock(&self.fleet).whom[&whom]
    }

    /// madsim's name of the node that plays a part.
    pub(crate) fn machine(&self, whom: Whom) -> madsim::task::NodeId {
        let fleet = lock(&self.fleet);
        fleet.machines[fleet.whom[&whom].index()].id
    }

    /// Boots everything that is there from the first moment.
    pub(crate) fn boot(&self) {
        let disk = Disk::default();
        self.spawn(Whom::Registry, ZoneId(0), move |shared, net, life| {
            registry_node::run(shared, net, disk.clone(), life)
        });
        self.spawn(Whom::Locks, ZoneId(0), |shared, net, _| control_node::run_locks(shared, net));
        let disk = Disk::default();
        self.spawn(Whom::Controller, self.setup.zone_in_turn(1), move |shared, net, life| {
            control_node::run_controller(shared, net, disk.clone(), life)
        });
        for n in 0..self.setup.callers {
            self.spawn(Whom::Caller(n), self.setup.zone_in_turn(n), move |shared, net, life| {
                caller_node::run(shared, net, n, life)
            });
        }
        lock(&self.fleet).desired.insert(VersionId(0), self.setup.instances);
        for _ in 0..self.setup.instances {
            self.create(VersionId(0), Duration::ZERO);
        }
    }

    /// Makes a node and starts its process; it starts again with every restart of the node, as its next life.
    fn spawn<F, P>(&self, whom: Whom, zone: ZoneId, process: F)
    where
        F: Fn(Shared, NodeId, u64) -> P + Clone + Send + Sync + 'static,
        P: Future<Output = ()> + 'static,
    {
        let node = NodeId(lock(&self.fleet).machines.len() as u32);
        let shared = self.clone();
        let init = move || {
            let (shared, process) = (shared.clone(), process.clone());
            async move {
                let life = {
                    let machine = &mut lock(&shared.fleet).machines[node.index()];
                    machine.lives += 1;
                    machine.lives - 1
                };
                process(shared, node, life).await;
            }
        };
        let id = Handle::current().create_node().name(format!("{whom:?}")).ip(ip(node)).init(init).build().id();
        let fleet = &mut *lock(&self.fleet);
        // Who is born in a zone that is cut off is cut off.
        for &cut_off in &fleet.cut_off {
            for other in fleet.machines.iter().filter(|other| (other.zone == cut_off) != (zone == cut_off)) {
                NetSim::current().clog_link(id, other.id);
                NetSim::current().clog_link(other.id, id);
            }
        }
        fleet.machines.push(Machine { id, zone, lives: 0 });
        fleet.whom.insert(whom, node);
    }

    fn create(&self, version: VersionId, start_up: Duration) {
        let (id, node) = {
            let fleet = &mut *lock(&self.fleet);
            let id = InstanceId(fleet.instances.len() as u32);
            let (life, serving_since) = (Life::Starting, Instant::ZERO);
            fleet.instances.push(Instance { version, life, serving_since, running: true });
            (id, NodeId(fleet.machines.len() as u32))
        };
        let zone = self.setup.zone_in_turn(id.0);
        let endpoint = registry::Endpoint { instance: id, node, zone, version, weight: 1, draining: false };
        self.spawn(Whom::Instance(id), zone, move |shared, _, life| {
            // Only the first processes of the first instances are up at once.
            let start_up = if life == 0 { start_up } else { shared.setup.start_up };
            instance_node::run(shared, endpoint, start_up, life)
        });
    }

    // What instances and the injector of faults report.

    pub(crate) fn set_life(&self, id: InstanceId, life: Life) {
        let instance = &mut lock(&self.fleet).instances[id.index()];
        // Who was told to stop does not come back.
        if instance.life == Life::Gone || (instance.life == Life::Draining && life != Life::Gone) {
            return;
        }
        if life == Life::Serving {
            instance.serving_since = now();
        }
        instance.life = life;
    }

    /// Whether it was told to stop.
    pub(crate) fn is_stopping(&self, id: InstanceId) -> bool {
        matches!(lock(&self.fleet).instances[id.index()].life, Life::Draining | Life::Gone)
    }

    pub(crate) fn set_running(&self, id: InstanceId, running: bool) {
        lock(&self.fleet).instances[id.index()].running = running;
    }

    pub(crate) fn set_cut_off(&self, zone: ZoneId, cut_off: bool) {
        let fleet = &mut *lock(&self.fleet);
        fleet.cut_off.retain(|&other| other != zone);
        if cut_off {
            fleet.cut_off.push(zone);
        }
        let net = NetSim::current();
        let (inside, outside): (Vec<&Machine>, Vec<&Machine>) = fleet.machines.iter().partition(|m| m.zone == zone);
        for (a, b) in inside.iter().flat_map(|a| outside.iter().map(move |b| (a.id, b.id))) {
            if cut_off {
                net.clog_link(a, b);
                net.clog_link(b, a);
            } else {
                net.unclog_link(a, b);
                net.unclog_link(b, a);
            }
        }
    }

    // What the controller asks for.

    /// Whether an order under `token` is carried out.
    fn admits(&self, token: FencingToken) -> bool {
        let newest = &mut lock(&self.fleet).newest;
        if token < *newest {
            return false;
        }
        *newest = token;
        true
    }

    /// Brings the number of instances of a version to `replicas`.
    pub(crate) fn scale(&self, token: FencingToken, version: VersionId, replicas: u32) {
        if !self.admits(token) {
            return;
        }
        let mut present: Vec<(InstanceId, bool)> = {
            let fleet = &mut *lock(&self.fleet);
            fleet.desired.insert(version, replicas);
            let ids = (0..).map(InstanceId).zip(&fleet.instances);
            ids.filter(|(_, i)| i.version == version && i.is_present()).map(|(id, i)| (id, i.is_available())).collect()
        };
        for _ in present.len() as u32..replicas {
            self.create(version, self.setup.start_up);
        }
        present.sort_by_key(|&(id, available)| (available, Reverse(id)));
        let surplus = present.len().saturating_sub(replicas as usize);
        present[..surplus].iter().for_each(|&(id, _)| self.stop(id));
    }

    fn stop(&self, id: InstanceId) {
        let machine = self.machine(Whom::Instance(id));
        let instance = &mut lock(&self.fleet).instances[id.index()];
        if instance.life == Life::Serving && instance.running {
            instance.life = Life::Draining;
            Handle::current().send_ctrl_c(machine);
        } else {
            // Nobody is there to drain; what is left of it is cleared away.
            instance.life = Life::Gone;
            Handle::current().kill(machine);
        }
    }

    /// Makes `shares` the split that callers are to be told; none when the token is too old.
    pub(crate) fn order_split(&self, token: FencingToken, shares: Option<[(VersionId, Ratio); 2]>) -> Option<Split> {
        if !self.admits(token) {
            return None;
        }
        let split = &mut lock(&self.fleet).split;
        let number = split.map_or(0, |split| split.number) + 1;
        *split = Some(Split { token, number, shares });
        *split
    }

    /// The split in force: what a caller reads when it boots.
    pub(crate) fn split(&self) -> Option<Split> {
        lock(&self.fleet).split
    }

    pub(crate) fn observe(&self, plan: &rollout::Plan, min_ready: Duration) -> Observation {
        let fleet = lock(&self.fleet);
        let instances = |version: VersionId| {
            let of_it = || fleet.instances.iter().filter(move |i| i.version == version);
            let ready = |i: &&Instance| i.is_available() && now().saturating_since(i.serving_since) >= min_ready;
            Instances {
                desired: fleet.desired.get(&version).copied().unwrap_or(0),
                total: of_it().filter(|i| i.life != Life::Gone).count() as u32,
                available: of_it().filter(ready).count() as u32,
            }
        };
        let weight = fleet.split.and_then(|split| split.shares).map(|[_, (_, share)]| share);
        Observation { old: instances(plan.from), new: instances(plan.to), others: 0, weight }
    }

    /// Who serves at this moment, with the version.
    pub(crate) fn living(&self) -> Vec<(InstanceId, VersionId)> {
        let fleet = lock(&self.fleet);
        let ids = (0..).map(InstanceId).zip(&fleet.instances);
        ids.filter(|(_, i)| i.is_available()).map(|(id, i)| (id, i.version)).collect()
    }
}

impl Instance {
    fn is_present(&self) -> bool {
        matches!(self.life, Life::Starting | Life::Serving)
    }

    fn is_available(&self) -> bool {
        self.life == Life::Serving && self.running
    }
}
