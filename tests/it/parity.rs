//! Side by side with pynetbox: one scenario, performed once by pynetbox and once by this crate's client library, each
//! before a FakeNetbox of its own. Requests and results agree, except where PARITY.md says why they do not.

use std::collections::BTreeSet;
use std::fs;

mod bad_input;
mod compare;
mod interpreter;
mod python;
mod scenario;

use compare::{Names, judge};
use interpreter::Interpreter;
use python::Python;
use scenario::{Scene, file, scenes};

/// Performs a scene with both; says what is wrong with which step.
async fn perform(scene: &Scene) -> Vec<String> {
    let (of_python, python_branches) = scene.netbox().await;
    let (of_rust, rust_branches) = scene.netbox().await;
    let python_names = Names::new(&of_python, python_branches);
    let rust_names = Names::new(&of_rust, rust_branches);
    let mut python = Python::start(&of_python, scene);
    let mut rust = Interpreter::new(&of_rust, scene);
    let mut wrong = Vec::new();
    for step in &scene.steps {
        for netbox in [&of_python, &of_rust] {
            netbox.clear_log();
            step.fault.iter().for_each(|fault| fault.begin(netbox));
        }
        let there = python_names.outcome(step, python.step(), &of_python.log());
        let here = rust_names.outcome(step, rust.perform(step).await, &of_rust.log());
        let faults = judge(step, &there, &here);
        wrong.extend(faults.iter().map(|fault| format!("{} / {}: {fault}", scene.name, step.name)));
        for netbox in [&of_python, &of_rust] {
            netbox.clear_faults();
            if step.finish_jobs {
                netbox.finish_jobs();
            }
        }
    }
    wrong
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_library_does_what_pynetbox_does() {
    let mut wrong = Vec::new();
    for scene in scenes() {
        wrong.extend(perform(&scene).await);
    }
    assert!(wrong.is_empty(), "{} faults:\n\n{}", wrong.len(), wrong.join("\n"));
}

/// The first cell of every row of PARITY.md's table of differences whose last one says that the scenario shows it.
fn told_differences() -> (BTreeSet<String>, BTreeSet<String>) {
    let text = fs::read_to_string(file("PARITY.md")).expect("PARITY.md is there");
    let (_, table) = text.split_once("## Differences").expect("it has a part on differences");
    let row = |line: &str| {
        let cells: Vec<&str> = line.strip_prefix('|')?.trim_end().strip_suffix('|')?.split(" | ").collect();
        Some((cells.first()?.trim().to_owned(), cells.last()?.trim().to_owned()))
    };
    let rows: Vec<_> = table.lines().filter_map(row).collect();
    let shown = rows.iter().filter(|(_, shown)| shown == "yes").map(|(what, _)| what.clone()).collect();
    (shown, rows.into_iter().map(|(what, _)| what).collect())
}

#[test]
fn every_difference_is_told_and_shown() {
    let (shown, told) = told_differences();
    let scenes = scenes();
    let steps = || scenes.iter().flat_map(|scene| &scene.steps);
    let excuses = |step: &scenario::Step| [step.differs.requests.clone(), step.differs.result.clone()];
    let used: BTreeSet<String> = steps().flat_map(excuses).flatten().collect();
    let untold: Vec<_> = used.difference(&told).collect();
    assert!(untold.is_empty(), "PARITY.md does not tell of {untold:#?}");
    assert_eq!(used, shown, "what PARITY.md says is shown by the scenario, and what is");
}

#[test]
fn the_scenario_is_long_enough_to_mean_something() {
    let scenes = scenes();
    let steps: Vec<_> = scenes.iter().flat_map(|scene| scene.steps.iter().map(move |step| (scene, step))).collect();
    assert!(steps.len() >= 60, "{} operations", steps.len());
    let names: BTreeSet<_> = steps.iter().map(|(scene, step)| (&scene.name, &step.name)).collect();
    assert_eq!(names.len(), steps.len(), "each step of a scene has a name of its own");
    let excused = steps.iter().filter(|(_, step)| step.differs.requests.is_some() || step.differs.result.is_some());
    let (excused, all) = (excused.count(), steps.len());
    assert!(excused * 3 < all, "{excused} of {all} operations differ");
}
