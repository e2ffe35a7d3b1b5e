//! Tests that naga translates every shader, with templates expanded, to SPIR-V, MSL and HLSL.
//!
//! Vulkan, Metal and DX12 receive these translations. The tests do not prove that a vendor's compiler accepts
//! them.

use naga::back::{hlsl, msl, pipeline_constants::process_overrides, spv};
use naga::valid::{Capabilities, ModuleInfo, ValidationFlags, Validator};
use warplaw::experiments::shaders;
use warplaw::gpu::ShaderFeature;

/// Returns a validator that allows these capabilities, and with them all subgroup operations.
fn validator(capabilities: Capabilities) -> Validator {
    let mut validator = Validator::new(ValidationFlags::all(), capabilities);
    validator
        .subgroup_stages(naga::valid::ShaderStages::COMPUTE)
        .subgroup_operations(naga::valid::SubgroupOperationSet::all());
    validator
}

fn validate(module: &naga::Module) -> ModuleInfo {
    validator(Capabilities::all()).validate(module).expect("the module is valid")
}

#[test]
fn every_shader_translates_for_every_backend() {
    let all = shaders();
    assert!(all.len() >= 9, "expected at least 9 modules, found {}", all.len());
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
    assert_eq!(words[0], 0x0723_0203, "{entry}: the SPIR-V has no magic number");
}

fn to_msl(module: &naga::Module, info: &ModuleInfo, stage: naga::ShaderStage, entry: &str) {
    let options =
        msl::Options { lang_version: (2, 4), fake_missing_bindings: true, ..Default::default() };
    let pipeline =
        msl::PipelineOptions { entry_point: Some((stage, entry.to_owned())), ..Default::default() };
    let (text, _) = msl::write_string(module, info, &options, &pipeline)
        .unwrap_or_else(|e| panic!("{entry} to MSL: {e}"));
    assert!(text.contains("kernel void"), "{entry}: the MSL has no kernel");
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
    assert!(text.contains("numthreads"), "{entry}: the HLSL has no compute shader");
}

#[test]
fn every_shader_file_is_part_of_a_module() {
    let modules = shaders();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/shaders");
    for file in std::fs::read_dir(folder).expect("the shaders folder exists") {
        let path = file.expect("the folder can be listed").path();
        let text = std::fs::read_to_string(&path).expect("a shader is UTF-8");
        assert!(
            modules.iter().any(|module| module.source().contains(&text)),
            "no kernel loads {}",
            path.display()
        );
    }
}

/// Returns the path of a module's kernel, in the shared kernels or in the folder of its experiment.
fn kernel_of(stem: &str) -> Option<std::path::PathBuf> {
    let src = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let candidates = [
        format!("kernels/{stem}.rs"),
        format!("experiments/{stem}/kernel.rs"),
        format!("experiments/{stem}/kernel/mod.rs"),
    ];
    candidates.map(|candidate| src.join(candidate)).into_iter().find(|path| path.exists())
}

#[test]
fn every_module_has_a_shader_file_and_a_kernel_file() {
    for module in shaders() {
        let stem = module.name().split('.').next().unwrap_or(module.name());
        let shader = format!("{}/shaders/{stem}.wgsl", env!("CARGO_MANIFEST_DIR"));
        assert!(std::path::Path::new(&shader).exists(), "{stem} has no shader");
        // The subgroup variants of a shader may be in a separate file that shares the kernel file.
        let kernel = kernel_of(stem.trim_end_matches("_subgroup"));
        assert!(kernel.is_some(), "{stem} has no kernel file with a CPU reference");
    }
}

#[test]
fn every_kernel_file_has_a_shader() {
    let modules = shaders();
    let loaded =
        |stem: &str| modules.iter().any(|module| module.name().split('.').next() == Some(stem));
    for experiment in warplaw::experiments::REGISTRY {
        if kernel_of(experiment.id).is_some_and(|path| !path.starts_with("src/kernels")) {
            assert!(loaded(experiment.id), "{} has a kernel but no shader", experiment.id);
        }
    }
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/kernels");
    for file in std::fs::read_dir(folder).expect("the kernels folder exists") {
        let path = file.expect("the folder can be listed").path();
        let stem = path.file_stem().expect("a file has a name").to_string_lossy().into_owned();
        // Code that several kernels share has no shader.
        let shared = ["mod", "launch_config", "launch", "step"].contains(&stem.as_str());
        assert!(shared || loaded(&stem), "{stem}.rs has no shader");
    }
}

#[test]
fn a_module_declares_a_feature_exactly_if_it_is_invalid_without_it() {
    for shader in shaders() {
        let module = naga::front::wgsl::parse_str(shader.source()).expect("the module parses");
        for feature in ShaderFeature::ALL {
            let without = Capabilities::all() - capabilities(feature);
            let valid = validator(without).validate(&module).is_ok();
            assert_eq!(shader.needs().contains(&feature), !valid, "{feature:?}: {}", shader.name());
        }
    }
}

/// Returns what naga calls the feature.
fn capabilities(feature: ShaderFeature) -> Capabilities {
    match feature {
        ShaderFeature::Subgroups => Capabilities::SUBGROUP,
        ShaderFeature::U64 => Capabilities::SHADER_INT64,
        ShaderFeature::F16 => Capabilities::SHADER_FLOAT16,
    }
}
