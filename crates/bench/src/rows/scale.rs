//! Four independent pairs of publisher and subscriber, on one core and on all there are.

use std::sync::Arc;
use std::time::Duration;

use super::flow::Flow;
use super::{CpuWatch, Setting};
use crate::error::Result;
use crate::frames::{Numbered, Traffic};
use crate::outcome::{Outcome, Used};
use crate::target::{Cores, Target};

const PAIRS: usize = 4;

/// The same load twice: the server bound to one core, and free to use all.
pub(super) fn over_the_cores(setting: &Setting) -> Result<Outcome> {
    let one = pairs(setting, Cores::One)?;
    let all = pairs(setting, Cores::All)?;
    let cores = |sums: &Sums| {
        sums.used.server.map_or(f64::NAN, |cpu| {
            cpu.as_secs_f64() / sums.elapsed.as_secs_f64()
        })
    };
    let (cores_of_one, cores_of_all) = (cores(&one), cores(&all));
    let outcome = Outcome::new(
        setting.row,
        "message",
        all.delivered,
        all.lost,
        all.elapsed,
        all.used,
    );
    let rate_of_one = one.delivered as f64 / one.elapsed.as_secs_f64();
    let scaling = outcome.per_second / rate_of_one;
    let cpu_of_one = one
        .used
        .server
        .map(|cpu| cpu.as_nanos() as f64 / one.delivered as f64);
    let outcome = outcome
        .figure("one_core_per_second", rate_of_one)
        .figure("scaling", scaling)
        .figure("cores_used_of_one", cores_of_one)
        .figure("cores_used_of_all", cores_of_all);
    Ok(match cpu_of_one {
        Some(ns) => outcome.figure("one_core_cpu_ns", ns),
        None => outcome,
    })
}

struct Sums {
    delivered: u64,
    lost: u64,
    elapsed: Duration,
    used: Used,
}

fn pairs(setting: &Setting, cores: Cores) -> Result<Sums> {
    let target = setting.source.start(cores)?;
    let mut flows = (0..PAIRS)
        .map(|n| open(&target, n))
        .collect::<Result<Vec<_>>>()?;
    run_all(&mut flows, setting.warm_up())?;
    let watch = CpuWatch::start(&target)?;
    let (delivered, lost, elapsed) = run_all(&mut flows, setting.measure)?;
    Ok(Sums {
        delivered,
        lost,
        elapsed,
        used: watch.stop()?,
    })
}

fn open(target: &Target, pair: usize) -> Result<Flow> {
    let subject = format!("bench.scale.{pair}");
    let traffic = Arc::new(Traffic::one_subject(&subject, 16, Numbered::Yes));
    Flow::open(target, &subject, &traffic, 1, 1)
}

fn run_all(flows: &mut [Flow], duration: Duration) -> Result<(u64, u64, Duration)> {
    std::thread::scope(|scope| {
        let running: Vec<_> = flows
            .iter_mut()
            .map(|flow| scope.spawn(move || flow.run(duration)))
            .collect();
        let (mut delivered, mut lost, mut elapsed) = (0, 0, Duration::ZERO);
        for thread in running {
            let phase = thread
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            delivered += phase.delivered;
            lost += phase.lost;
            elapsed = elapsed.max(phase.elapsed);
        }
        Ok((delivered, lost, elapsed))
    })
}
