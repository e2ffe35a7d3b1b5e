// How many steps the Collatz sequence of a number takes to reach 1.

@group(0) @binding(0) var<storage, read> numbers: array<u32>;
@group(0) @binding(1) var<storage, read_write> steps: array<u32>;

fn steps_of(first: u32) -> u32 {
    var n = first;
    var count = 0u;
    while n > 1u && count < 1000u {
        if n % 2u == 0u {
            n = n / 2u;
        } else {
            n = 3u * n + 1u;
        }
        count++;
    }
    return count;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < arrayLength(&numbers) {
        steps[id.x] = steps_of(numbers[id.x]);
    }
}
