//! wip
use warplaw::*;
fn main(){
    gpu::disable_stale_shader_caches();
    let mut hw = gpu::Hardware::open(&gpu::Options::default()).unwrap();
    let quick = std::env::args().any(|a| a=="--quick");
    let ids: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let t=std::time::Instant::now();
    let mut s = measure::Session::open(&mut hw, if quick {measure::Profile::QUICK} else {measure::Profile::FULL}, measure::seed_from_time()).unwrap();
    println!("{:?} {:?} {:.2}s", s.clock, s.adapter, t.elapsed().as_secs_f64());
    let stop = std::sync::atomic::AtomicBool::new(false);
    for e in experiments::REGISTRY { if !ids.is_empty() && !ids.contains(&e.id.to_string()) {continue;}
        let (o, cases) = measure::run(&mut s, e, &stop, &mut |_|()).unwrap();
        println!("== {} {:?} {:?} {:?} rounds {} {:.2}s {:?}", o.id, o.status, o.reason, o.verdict, o.rounds, o.duration_s, o.stopped_by);
        for c in &cases { if std::env::args().any(|a| a=="--cases") { let v: Vec<f64> = c.samples_s.iter().flatten().copied().collect(); println!("   case {:40} scale {:6} med {:.3} ms spread {:.2}%", c.id, c.scale, stats::median(&v).unwrap_or(f64::NAN)*1e3, 100.0*stats::relative_spread(&v).unwrap_or(f64::NAN)); } }
        for p in &o.parameters { println!("   par {:30} {:.4e} {} {:?}", p.name, p.value, p.unit, p.ci.map(|c| (c.lo,c.hi))); }
        for p in &o.findings { println!("   find {:30} {:?} {}", p.name, p.value, p.unit); }
        for p in &o.points { println!("   {:24} {:8} m {:.4e} p {:.4e} r {:.4} ±{:.4} {:?}", p.series, p.x.value, p.measured, p.predicted, p.ratio, p.ratio_ci.map_or(f64::NAN, |c| c.half_width()), p.verdict); }
        for c in &o.controls { println!("   ctl {:10} {:.4} {:?} {}", c.name, c.ratio, c.ratio_ci.map(|c|(c.lo,c.hi)), c.passed); }
        let r = o.residuals(); println!("   residual median {:.4} max {:.4}", stats::median(&r).unwrap_or(f64::NAN), r.iter().cloned().fold(0.0,f64::max));
        for d in &o.diagnosis { println!("   diag {d}"); }
    }
}
