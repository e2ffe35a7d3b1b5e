//! Every shader, templates expanded, through naga to SPIR-V, MSL and HLSL: what Vulkan, Metal and DX12
//! will be handed. This proves naga's translation, not that a vendor's compiler accepts it.

use naga::back::{hlsl, msl, pipeline_constants::process_overrides, spv};
use naga::valid::{Capabilities, ModuleInfo, ValidationFlags, Validator};
use warplaw::experiments::shaders;

fn validate(module: &naga::Module) -> ModuleInfo {
    Validator::new(ValidationFlags::all(), Capabilities::all())
        .subgroup_stages(naga::valid::ShaderStages::COMPUTE)
        .subgroup_operations(naga::valid::SubgroupOperationSet::all())
        .validate(module)
        .expect("the module is valid")
}

#[test]
fn every_shader_translates_for_every_backend() {
    let all = shaders();
    assert!(all.len() >= 9, "only {} modules", all.len());
    for shader in all {
        let module = naga::front::wgsl::parse_str(shader.source())
            .unwrap_or_else(|e| panic!("{}: {}", shader.name(), e.emit_to_string(shader.source())));
        let info = validate(&module);
        assert!(!module.entry_points.is_empty());
        for entry in &module.entry_points {
            let stage = entry.stage;
            let (module, info) =
                process_overrides(&module, &info, Some((stage, &entry.name)), &Default::default())
                    .unwrap_or_else(|e| panic!("{} {}: {e}", shader.name(), entry.name));
            to_spirv(&module, &info, stage, &entry.name);
            to_msl(&module, &info, stage, &entry.name);
            to_hlsl(&module, &info, stage, &entry.name);
        }
    }
}

fn to_spirv(module: &naga::Module, info: &ModuleInfo, stage: naga::ShaderStage, entry: &str) {
    let options = spv::Options { lang_version: (1, 3), ..Default::default() };
    let pipeline = spv::PipelineOptions { shader_stage: stage, entry_point: entry.to_owned() };
    let words = spv::write_vec(module, info, &options, Some(&pipeline))
        .unwrap_or_else(|e| panic!("{entry} to SPIR-V: {e}"));
    assert_eq!(words[0], 0x0723_0203, "{entry}: no SPIR-V magic");
}

fn to_msl(module: &naga::Module, info: &ModuleInfo, stage: naga::ShaderStage, entry: &str) {
    let options =
        msl::Options { lang_version: (2, 4), fake_missing_bindings: true, ..Default::default() };
    let pipeline =
        msl::PipelineOptions { entry_point: Some((stage, entry.to_owned())), ..Default::default() };
    let (text, _) = msl::write_string(module, info, &options, &pipeline)
        .unwrap_or_else(|e| panic!("{entry} to MSL: {e}"));
    assert!(text.contains("kernel void"), "{entry}: no kernel in MSL");
}

fn to_hlsl(module: &naga::Module, info: &ModuleInfo, stage: naga::ShaderStage, entry: &str) {
    let options = hlsl::Options {
        shader_model: hlsl::ShaderModel::V6_0,
        fake_missing_bindings: true,
        ..Default::default()
    };
    let pipeline = hlsl::PipelineOptions { entry_point: Some((stage, entry.to_owned())) };
    let mut text = String::new();
    hlsl::Writer::new(&mut text, &options, &pipeline)
        .write(module, info, None)
        .unwrap_or_else(|e| panic!("{entry} to HLSL: {e}"));
    assert!(text.contains("numthreads"), "{entry}: no compute shader in HLSL");
}

#[test]
fn every_shader_file_is_some_modules_source() {
    let modules = shaders();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/shaders");
    for file in std::fs::read_dir(folder).expect("there is a shaders folder") {
        let path = file.expect("the folder can be listed").path();
        let text = std::fs::read_to_string(&path).expect("a shader is text");
        assert!(
            modules.iter().any(|module| module.source().contains(&text)),
            "{} is an orphan: no kernel loads it",
            path.display()
        );
    }
}

/// Where the kernel of a module lies: among those that are shared, or with its experiment.
fn kernel_of(stem: &str) -> Option<std::path::PathBuf> {
    let src = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let places = [
        format!("kernels/{stem}.rs"),
        format!("experiments/{stem}/kernel.rs"),
        format!("experiments/{stem}/kernel/mod.rs"),
    ];
    places.map(|place| src.join(place)).into_iter().find(|path| path.exists())
}

#[test]
fn every_module_has_its_shader_and_its_kernel_file() {
    for module in shaders() {
        let stem = module.name().split('.').next().unwrap_or(module.name());
        let shader = format!("{}/shaders/{stem}.wgsl", env!("CARGO_MANIFEST_DIR"));
        assert!(std::path::Path::new(&shader).exists(), "{stem} has no shader");
        // A family may keep its subgroup kernels in a file of their own.
        let kernel = kernel_of(stem.trim_end_matches("_subgroup"));
        assert!(kernel.is_some(), "{stem} has no CPU reference");
    }
}

#[test]
fn no_kernel_is_without_a_shader() {
    let modules = shaders();
    let loaded =
        |stem: &str| modules.iter().any(|module| module.name().split('.').next() == Some(stem));
    for experiment in warplaw::experiments::REGISTRY {
        if kernel_of(experiment.id).is_some_and(|path| !path.starts_with("src/kernels")) {
            assert!(loaded(experiment.id), "{} has a kernel and no shader", experiment.id);
        }
    }
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/kernels");
    for file in std::fs::read_dir(folder).expect("there is a kernels folder") {
        let path = file.expect("the folder can be listed").path();
        let stem = path.file_stem().expect("a file has a name").to_string_lossy().into_owned();
        // What several kernels share has no shader of its own.
        let shared = ["mod", "shape", "launch"].contains(&stem.as_str());
        assert!(shared || loaded(&stem), "{stem}.rs has no shader");
    }
}

#[test]
fn a_module_says_whether_it_needs_subgroups() {
    for module in shaders() {
        let uses = module.source().contains("subgroup_") || module.source().contains("subgroupAdd");
        assert_eq!(module.needs_subgroups(), uses, "{}", module.name());
    }
}
