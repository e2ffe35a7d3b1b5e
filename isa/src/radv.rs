//! Mesa's driver for AMD, with its null device: it compiles for any family of GPUs, and executes nothing.
//!
//! The driver reads the family from the environment when it is loaded, so each family has a process of its own
//! ([`compile_apart`]). A compiler that crashes then ends its own process alone.

use std::collections::{BTreeMap, HashMap};
use std::ffi::{CStr, CString, c_char};
use std::path::Path;
use std::process::{Command, Stdio};

use ash::{khr, vk};
use warplaw::gpu::ShaderFeature;

use crate::{Compiled, Program, Spirv, to_spirv};

/// Environment variables that name the family: the first is that of Mesa up to 24, the second that of Mesa 25.
const FAMILY: [&str; 2] = ["RADV_FORCE_FAMILY", "AMD_FORCE_FAMILY"];

/// Environment variable that names the file to which [`child`] writes.
const OUTPUT: &str = "WARPLAW_ISA_OUTPUT";

/// A program's name, and its machine code or why there is none. Programs that the family has no numbers for are left
/// out.
pub type Outcomes = BTreeMap<String, Result<Compiled, String>>;

/// A family of AMD's GPUs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Family {
    /// Name of the instruction set.
    pub isa: &'static str,
    /// Name of a chip, which most versions of Mesa know instead of the instruction set.
    pub chip: &'static str,
    /// Architecture, and a product with such a chip.
    pub about: &'static str,
}

/// The families that are compiled for, in the order of their age.
pub const FAMILIES: [Family; 5] = [
    Family { isa: "gfx803", chip: "polaris10", about: "GCN 4, Radeon RX 480" },
    Family { isa: "gfx906", chip: "vega20", about: "GCN 5, Radeon VII" },
    Family { isa: "gfx1010", chip: "navi10", about: "RDNA 1, Radeon RX 5700" },
    Family { isa: "gfx1030", chip: "navi21", about: "RDNA 2, Radeon RX 6800" },
    Family { isa: "gfx1100", chip: "navi31", about: "RDNA 3, Radeon RX 7900" },
];

/// Families that Mesa 25 knows in addition.
pub const NEWER_FAMILIES: [Family; 2] = [
    Family { isa: "gfx90a", chip: "mi200", about: "CDNA 2, Instinct MI250" },
    Family { isa: "gfx1201", chip: "gfx1201", about: "RDNA 4, Radeon RX 9070" },
];

/// Sets the environment of a process so that it uses the newer Mesa that `sh setup.sh --isa` installs in `folder`.
pub fn use_newer(command: &mut Command, folder: &Path) {
    command.env("VK_DRIVER_FILES", folder.join("radeon_icd.json"));
    command.env("VK_ICD_FILENAMES", folder.join("radeon_icd.json"));
    command.env("LD_LIBRARY_PATH", folder.join("lib"));
}

/// Compiles all programs for a family, in a process that `command` returns and that calls [`child`] with the same
/// programs.
///
/// Returns `None` if no driver has a null device.
///
/// # Errors
/// Returns why the process failed.
pub fn compile_apart(
    command: impl Fn() -> Command,
    family: Family,
) -> Result<Option<Outcomes>, String> {
    // Mesa 22 and 25 know most families by their chips. A name that they do not know ends the process.
    compile_as(command(), family.chip).or_else(|_| compile_as(command(), family.isa))
}

/// Compiles all programs for the family of this name.
fn compile_as(mut command: Command, family: &str) -> Result<Option<Outcomes>, String> {
    let output = tempfile::NamedTempFile::new().map_err(|error| error.to_string())?;
    command.env(OUTPUT, output.path()).env("MESA_SHADER_CACHE_DISABLE", "true");
    for variable in FAMILY {
        command.env(variable, family);
    }
    let ended = command.stdin(Stdio::null()).output().map_err(|error| error.to_string())?;
    let text = std::fs::read_to_string(output.path()).map_err(|error| error.to_string())?;
    if !ended.status.success() || text.is_empty() {
        let said = String::from_utf8_lossy(&ended.stderr);
        return Err(format!("the compiler for {family} ended with {}: {said}", ended.status));
    }
    serde_json::from_str::<Result<_, String>>(&text).map_err(|error| error.to_string())?
}

/// Compiles all `programs` in this process and writes the outcome for [`compile_apart`].
///
/// # Panics
/// Panics if the process was not started by [`compile_apart`].
pub fn child(programs: &[Program]) {
    let output = std::env::var_os(OUTPUT).expect("`compile_apart` starts this process");
    let compile = |radv: Radv| -> Outcomes {
        let compiled = |program: &Program| to_spirv(program).and_then(|spirv| radv.compile(&spirv));
        let can = |program: &&Program| radv.has_f16 || !needs_f16(program);
        programs.iter().filter(can).map(|program| (program.name(), compiled(program))).collect()
    };
    let outcomes = Radv::open().map(|radv| radv.map(compile));
    let text = serde_json::to_string(&outcomes).expect("the outcomes are texts and numbers");
    std::fs::write(output, text).expect("the file of the outcomes can be written");
}

/// Returns whether a program needs 16-bit floating-point numbers, which the oldest family lacks.
#[must_use]
pub fn needs_f16(program: &Program) -> bool {
    program.shader.needs().contains(&ShaderFeature::F16)
}

/// The driver for one family of GPUs.
struct Radv {
    has_f16: bool,
    executables: khr::pipeline_executable_properties::Device,
    device: ash::Device,
    instance: ash::Instance,
    // The loader, which must outlive the instance.
    _entry: ash::Entry,
}

/// Returns what a Vulkan call returned, or its name and its error.
fn call<T>(name: &str, result: ash::prelude::VkResult<T>) -> Result<T, String> {
    result.map_err(|error| format!("{name}: {error}"))
}

impl Radv {
    /// Opens the null device of the family that the environment names; `None` if no driver has one.
    fn open() -> Result<Option<Self>, String> {
        // SAFETY: the library is a Vulkan loader, whose initialisation has no requirements.
        let Ok(entry) = (unsafe { ash::Entry::load() }) else { return Ok(None) };
        let application = vk::ApplicationInfo::default().api_version(vk::API_VERSION_1_3);
        let info = vk::InstanceCreateInfo::default().application_info(&application);
        // SAFETY: `info` and what it points to outlive the call.
        let instance = unsafe { entry.create_instance(&info, None) };
        let instance = call("vkCreateInstance", instance)?;
        // SAFETY: the instance is valid.
        let adapters = unsafe { instance.enumerate_physical_devices() };
        let adapters = call("vkEnumeratePhysicalDevices", adapters)?;
        let name_of = |&adapter: &vk::PhysicalDevice| {
            // SAFETY: the adapter is one of the instance.
            let properties = unsafe { instance.get_physical_device_properties(adapter) };
            text(&properties.device_name)
        };
        let null = adapters.iter().find(|adapter| name_of(adapter).starts_with("Null hardware"));
        let Some(&adapter) = null else {
            // SAFETY: nothing made from the instance is left.
            unsafe { instance.destroy_instance(None) };
            return Ok(None);
        };
        let mut of_1_2 = vk::PhysicalDeviceVulkan12Features::default();
        let mut features = vk::PhysicalDeviceFeatures2::default().push_next(&mut of_1_2);
        // SAFETY: the adapter is one of the instance, and knows Vulkan 1.2.
        unsafe { instance.get_physical_device_features2(adapter, &mut features) };
        let has_f16 = of_1_2.shader_float16 == vk::TRUE;
        let device = call("vkCreateDevice", open_device(&instance, adapter, has_f16))?;
        let executables = khr::pipeline_executable_properties::Device::new(&instance, &device);
        Ok(Some(Self { has_f16, executables, device, instance, _entry: entry }))
    }

    fn compile(&self, kernel: &Spirv) -> Result<Compiled, String> {
        let device = &self.device;
        let bindings: Vec<_> = kernel
            .bindings
            .iter()
            .map(|binding| {
                let kind = if binding.is_uniform {
                    vk::DescriptorType::UNIFORM_BUFFER
                } else {
                    vk::DescriptorType::STORAGE_BUFFER
                };
                vk::DescriptorSetLayoutBinding::default()
                    .binding(binding.index)
                    .descriptor_type(kind)
                    .descriptor_count(1)
                    .stage_flags(vk::ShaderStageFlags::COMPUTE)
            })
            .collect();
        let entry = CString::new(kernel.entry.as_str()).map_err(|error| error.to_string())?;
        // SAFETY: every structure and what it points to outlives the call that reads it. Every object is made from this
        // device, used before it is destroyed, and destroyed once. The SPIR-V is naga's and valid.
        unsafe {
            let info = vk::DescriptorSetLayoutCreateInfo::default().bindings(&bindings);
            let set = device.create_descriptor_set_layout(&info, None);
            let sets = [call("vkCreateDescriptorSetLayout", set)?];
            let info = vk::PipelineLayoutCreateInfo::default().set_layouts(&sets);
            let layout = device.create_pipeline_layout(&info, None);
            let layout = call("vkCreatePipelineLayout", layout)?;
            let info = vk::ShaderModuleCreateInfo::default().code(&kernel.words);
            let module = device.create_shader_module(&info, None);
            let module = call("vkCreateShaderModule", module)?;
            let stage = vk::PipelineShaderStageCreateInfo::default()
                .stage(vk::ShaderStageFlags::COMPUTE)
                .flags(vk::PipelineShaderStageCreateFlags::ALLOW_VARYING_SUBGROUP_SIZE)
                .module(module)
                .name(&entry);
            let capture = vk::PipelineCreateFlags::CAPTURE_STATISTICS_KHR
                | vk::PipelineCreateFlags::CAPTURE_INTERNAL_REPRESENTATIONS_KHR;
            let info =
                vk::ComputePipelineCreateInfo::default().flags(capture).stage(stage).layout(layout);
            let made = device.create_compute_pipelines(vk::PipelineCache::null(), &[info], None);
            let made = call("vkCreateComputePipelines", made.map_err(|(_, error)| error));
            let compiled = made.and_then(|pipelines| {
                let compiled = self.read(pipelines[0]);
                device.destroy_pipeline(pipelines[0], None);
                compiled
            });
            device.destroy_shader_module(module, None);
            device.destroy_pipeline_layout(layout, None);
            device.destroy_descriptor_set_layout(sets[0], None);
            compiled
        }
    }

    /// Reads what the driver tells of a pipeline.
    fn read(&self, pipeline: vk::Pipeline) -> Result<Compiled, String> {
        let info = vk::PipelineInfoKHR::default().pipeline(pipeline);
        // SAFETY: the pipeline is one of this device, made with both capture flags.
        let all = unsafe { self.executables.get_pipeline_executable_properties(&info) };
        let all = call("vkGetPipelineExecutablePropertiesKHR", all)?;
        let subgroup_size = all.first().map_or(0, |executable| executable.subgroup_size);
        let info = vk::PipelineExecutableInfoKHR::default().pipeline(pipeline).executable_index(0);
        // SAFETY: as above, and a compute pipeline has one executable.
        let figures = unsafe { self.executables.get_pipeline_executable_statistics(&info) };
        let figures = call("vkGetPipelineExecutableStatisticsKHR", figures)?;
        let whole = |figure: &vk::PipelineExecutableStatisticKHR<'_>| {
            let is_whole = figure.format == vk::PipelineExecutableStatisticFormatKHR::UINT64;
            // SAFETY: the format says which member of the union is set.
            is_whole.then(|| (text(&figure.name), unsafe { figure.value.u64 }))
        };
        let figures: HashMap<String, u64> = figures.iter().filter_map(whole).collect();
        let figure = |name: &str| {
            let value = figures.get(name).ok_or(format!("the driver tells no figure `{name}`"));
            value.map(|&value| value as u32)
        };
        Ok(Compiled {
            subgroup_size,
            registers: figure("VGPRs")?,
            spills: figure("Spilled SGPRs")? + figure("Spilled VGPRs")?,
            bytes: figure("Code size")?,
            assembly: self.assembly(&info)?,
        })
    }

    /// Reads the disassembly of an executable.
    fn assembly(&self, info: &vk::PipelineExecutableInfoKHR<'_>) -> Result<String, String> {
        const NAME: &str = "vkGetPipelineExecutableInternalRepresentationsKHR";
        // SAFETY: as in `read`.
        let forms =
            unsafe { self.executables.get_pipeline_executable_internal_representations(info) };
        let mut forms = call(NAME, forms)?;
        // The first call tells the sizes, and the second one fills memory of those sizes.
        let mut texts: Vec<Vec<u8>> = forms.iter().map(|form| vec![0; form.data_size]).collect();
        for (form, text) in forms.iter_mut().zip(&mut texts) {
            form.p_data = text.as_mut_ptr().cast();
        }
        let mut count = forms.len() as u32;
        let read = self.executables.fp().get_pipeline_executable_internal_representations_khr;
        // SAFETY: there are `count` structures, each with memory of the size that it tells.
        let result = unsafe { read(self.device.handle(), info, &mut count, forms.as_mut_ptr()) };
        call(NAME, result.result())?;
        let found = forms.iter().zip(texts).find(|(form, _)| text(&form.name).contains("ssembly"));
        let (_, bytes) = found.ok_or("the driver tells no disassembly")?;
        let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
        Ok(String::from_utf8_lossy(&bytes[..end]).into_owned())
    }
}

impl Drop for Radv {
    fn drop(&mut self) {
        // SAFETY: nothing made from the device or the instance is left.
        unsafe {
            self.device.destroy_device(None);
            self.instance.destroy_instance(None);
        }
    }
}

/// Opens a device with all that warplaw's kernels use.
fn open_device(
    instance: &ash::Instance,
    adapter: vk::PhysicalDevice,
    has_f16: bool,
) -> ash::prelude::VkResult<ash::Device> {
    let queues = [vk::DeviceQueueCreateInfo::default().queue_priorities(&[1.0])];
    let extensions = [khr::pipeline_executable_properties::NAME.as_ptr()];
    let core = vk::PhysicalDeviceFeatures::default().shader_int64(true).shader_int16(true);
    let mut of_1_1 =
        vk::PhysicalDeviceVulkan11Features::default().storage_buffer16_bit_access(true);
    let mut of_1_2 =
        vk::PhysicalDeviceVulkan12Features::default().shader_float16(has_f16).shader_int8(true);
    let mut of_1_3 = vk::PhysicalDeviceVulkan13Features::default()
        .subgroup_size_control(true)
        .shader_zero_initialize_workgroup_memory(true)
        .shader_integer_dot_product(true);
    let mut executables = vk::PhysicalDevicePipelineExecutablePropertiesFeaturesKHR::default()
        .pipeline_executable_info(true);
    let info = vk::DeviceCreateInfo::default()
        .queue_create_infos(&queues)
        .enabled_extension_names(&extensions)
        .enabled_features(&core)
        .push_next(&mut of_1_1)
        .push_next(&mut of_1_2)
        .push_next(&mut of_1_3)
        .push_next(&mut executables);
    // SAFETY: `info` and what it points to outlive the call, and the adapter is one of the instance.
    unsafe { instance.create_device(adapter, &info, None) }
}

/// Returns a text that ends at the first zero.
fn text(characters: &[c_char]) -> String {
    let bytes: Vec<u8> = characters.iter().map(|&c| c as u8).collect();
    CStr::from_bytes_until_nul(&bytes).map_or_else(
        |_| String::from_utf8_lossy(&bytes).into_owned(),
        |text| text.to_string_lossy().into_owned(),
    )
}
