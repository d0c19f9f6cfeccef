//! Every operation of [`Lanes`] against its definition, number by number; in `no_std`, so that a bare machine and the web
//! can look at their vectors as well (`firmware/lanes`).

use apical_core::kernels::Lanes;
use apical_core::random::Dither;
use apical_core::tables::sigmoid::sigmoid;
use apical_core::trains::WORDS;
use core::array::from_fn;

/// Rounds of numbers.
const ROUNDS: usize = 200;

/// Numbers that ends of ranges are made of, …
const ENDS: [i32; 12] =
    [0, 1, -1, 0x7F, -0x80, 0x4000, 0x7FFE, 0x7FFF, -0x8000, -0x7FFF, i32::MAX - 0x8000, 0x8000 - i32::MAX];

/// … and others, by xorshift32.
struct Numbers(u32);

impl Numbers {
    fn word(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }

    /// One in four at some end.
    fn number(&mut self) -> i32 {
        let (which, word) = (self.word(), self.word());
        if which & 3 == 0 { ENDS[word as usize % ENDS.len()] } else { word as i32 >> (which >> 2 & 15) }
    }

    fn shorts<const N: usize>(&mut self) -> [i16; N] {
        from_fn(|_| self.number() as i16)
    }

    fn bytes<const N: usize>(&mut self) -> [i8; N] {
        from_fn(|_| self.number() as i8)
    }

    fn totals(&mut self) -> [i32; 16] {
        from_fn(|_| self.number())
    }
}

fn each<const N: usize, T: Copy, U>(a: &[T; N], b: &[T; N], f: impl Fn(T, T) -> U) -> [U; N] {
    from_fn(|lane| f(a[lane], b[lane]))
}

fn bits_of<const N: usize>(is_set: impl Fn(usize) -> bool) -> u32 {
    (0..N).filter(|&lane| is_set(lane)).fold(0, |bits, lane| bits | 1 << lane)
}

/// Returns the name of an operation if what these lanes do is not what it says.
macro_rules! same {
    ($name:literal, $ours:expr, $theirs:expr) => {
        if $ours != $theirs {
            return Err($name);
        }
    };
}

/// Whether these lanes do what they should; if not, what they do not.
pub fn check<L: Lanes>(lanes: L) -> Result<(), &'static str> {
    let mut numbers = Numbers(0x9E37_79B9);
    for _ in 0..ROUNDS {
        of_blocks(lanes, &mut numbers)?;
        of_shifts(lanes, &mut numbers)?;
        of_bytes(lanes, &mut numbers)?;
        of_choices(lanes, &mut numbers)?;
        of_totals(lanes, &mut numbers)?;
        of_blocks_and_totals(lanes, &mut numbers)?;
        of_draws(lanes, &mut numbers)?;
        of_lists(lanes, &mut numbers)?;
    }
    for first in (i16::MIN..=i16::MAX).step_by(32) {
        let potentials: [i16; 32] = from_fn(|lane| first + lane as i16);
        same!("sigmoids", stored(lanes, lanes.sigmoids(lanes.load(&potentials))), potentials.map(sigmoid));
    }
    Ok(())
}

fn stored<L: Lanes>(l: L, block: L::Block) -> [i16; 32] {
    let mut numbers = [0; 32];
    l.store(block, &mut numbers);
    numbers
}

fn stored_totals<L: Lanes>(l: L, totals: L::Totals) -> [i32; 16] {
    let mut numbers = [0; 16];
    l.store_totals(totals, &mut numbers);
    numbers
}

fn of_blocks<L: Lanes>(l: L, numbers: &mut Numbers) -> Result<(), &'static str> {
    let (a, b): ([i16; 32], [i16; 32]) = (numbers.shorts(), numbers.shorts());
    let (x, y) = (l.load(&a), l.load(&b));
    same!("load", stored(l, x), a);
    same!("splat", stored(l, l.splat(a[0])), [a[0]; 32]);
    same!("add", stored(l, l.add(x, y)), each(&a, &b, i16::wrapping_add));
    same!("subtract", stored(l, l.subtract(x, y)), each(&a, &b, i16::wrapping_sub));
    same!("add_held", stored(l, l.add_held(x, y)), each(&a, &b, i16::saturating_add));
    same!("min", stored(l, l.min(x, y)), each(&a, &b, i16::min));
    same!("max", stored(l, l.max(x, y)), each(&a, &b, i16::max));
    same!("and", stored(l, l.and(x, y)), each(&a, &b, |a, b| a & b));
    same!("magnitude", stored(l, l.magnitude(x)), a.map(i16::wrapping_abs));
    // Both −2¹⁵ would not fit, and no state is.
    let c = a.map(|a| a.max(-i16::MAX));
    let product = |a: i16, b: i16| ((i32::from(a) * i32::from(b) + 0x4000) >> 15) as i16;
    same!("product", stored(l, l.product(l.load(&c), y)), each(&c, &b, product));
    let (p, q) = (a.map(|a| a as u16), b.map(|b| b as u16));
    let mut unsigned = [0; 32];
    l.store_unsigned(l.min_unsigned(l.load_unsigned(&p), l.load_unsigned(&q)), &mut unsigned);
    same!("min_unsigned", unsigned, each(&p, &q, u16::min));
    same!("largest", Some(l.largest(x)), p.into_iter().max());
    let pair = [a[0], b[0]];
    if L::LOOKS_UP {
        same!("splat_pair", stored(l, l.splat_pair(pair)), from_fn::<_, 32, _>(|lane| pair[lane & 1]));
        let places = numbers.totals();
        let both = [a, b];
        let tables = both.as_flattened().as_chunks::<2>().0;
        let found = stored(l, l.look_up([x, y], l.load_totals(&places)));
        same!("look_up", found, from_fn::<_, 32, _>(|lane| tables[places[lane / 2] as usize & 31][lane & 1]));
    }
    Ok(())
}

fn of_shifts<L: Lanes>(l: L, numbers: &mut Numbers) -> Result<(), &'static str> {
    let (a, t): ([i16; 32], _) = (numbers.shorts(), numbers.totals());
    let (x, totals) = (l.load(&a), l.load_totals(&t));
    for shift in 0..16 {
        same!("shift_right", stored(l, l.shift_right(x, shift)), a.map(|a| a >> shift));
        same!("shift_left", stored(l, l.shift_left(x, shift)), a.map(|a| a << shift));
    }
    // By all its bits as well: what no shift keeps of a dither.
    for shift in 0..=16 {
        let logical = |a: i16| (u32::from(a as u16) >> shift) as i16;
        same!("shift_right_unsigned", stored(l, l.shift_right_unsigned(x, shift)), a.map(logical));
    }
    for shift in 0..32 {
        let half = if shift == 0 { 0 } else { 1 << (shift - 1) };
        let rounded = t.map(|t| t.wrapping_add(half) >> shift);
        same!("shift_totals", stored_totals(l, l.shift_totals(totals, half, shift)), rounded);
        same!(
            "shift_totals_left",
            stored_totals(l, l.shift_totals_left(totals, shift)),
            t.map(|t| t << shift)
        );
        let logical = t.map(|t| (t as u32 >> shift) as i32);
        same!("shift_totals_unsigned", stored_totals(l, l.shift_totals_unsigned(totals, shift)), logical);
    }
    let shifts = numbers.totals().map(|shift| shift & 31);
    let by = l.shift_totals_by(totals, l.load_totals(&shifts));
    same!("shift_totals_by", stored_totals(l, by), each(&t, &shifts, |t, by| (t as u32 >> by) as i32));
    Ok(())
}

fn of_bytes<L: Lanes>(l: L, numbers: &mut Numbers) -> Result<(), &'static str> {
    let (a, one, other): ([i16; 32], [i8; 64], [i8; 64]) =
        (numbers.shorts(), numbers.bytes(), numbers.bytes());
    let first = from_fn(|lane| one[lane]);
    same!("load_bytes", stored(l, l.load_bytes(&first)), first.map(i16::from));
    let mut bytes = [0; 32];
    l.store_bytes(l.load(&a), &mut bytes);
    same!("store_bytes", bytes, a.map(|a| a.clamp(-128, 127) as i8));
    let sums = l.in_order(l.add_bytes(l.add_bytes([l.splat(0); 2], &one, &other), &other, &other));
    let sum = |lane: usize| i16::from(one[lane]) + 3 * i16::from(other[lane]);
    for (half, sums) in sums.into_iter().enumerate() {
        same!("add_bytes", stored(l, sums), from_fn::<_, 32, _>(|lane| sum(32 * half + lane)));
    }
    let steps: [[i16; 32]; 2] = [0, 32].map(|first| from_fn(|lane| i16::from(other[first + lane])));
    let mut moved = one;
    l.move_bytes(&mut moved, steps.map(|steps| l.load(&steps)));
    same!("move_bytes", moved, each(&one, &other, i8::saturating_add));
    Ok(())
}

fn of_choices<L: Lanes>(l: L, numbers: &mut Numbers) -> Result<(), &'static str> {
    let (a, mut b): ([i16; 32], [i16; 32]) = (numbers.shorts(), numbers.shorts());
    for lane in 0..32 {
        b[lane] = if numbers.word() & 3 == 0 { a[lane] } else { b[lane] };
    }
    let (x, y, bits) = (l.load(&a), l.load(&b), numbers.word());
    let chosen = |lane: usize| bits >> lane & 1 != 0;
    same!("exceeding", l.bits(l.exceeding(x, y)), bits_of::<32>(|lane| a[lane] > b[lane]));
    same!("greater", l.greater(x, y), bits_of::<32>(|lane| a[lane] > b[lane]));
    same!("mask", l.bits(l.mask(bits)), bits);
    let differing = bits_of::<32>(|lane| a[lane] != b[lane]);
    same!("differing", l.differing(x, y), differing);
    same!("differ", (l.differ(x, y), l.differ(x, x)), (differing != 0, false));
    let found = l.differing_or(l.load(&from_fn(|lane| i16::from(chosen(lane)))), x, y);
    same!("differing_or", l.differing(found, l.splat(0)), differing | bits);
    let add_in =
        from_fn::<_, 32, _>(|lane| if chosen(lane) { a[lane].wrapping_add(b[lane]) } else { a[lane] });
    same!("add_in", stored(l, l.add_in(x, l.mask(bits), y)), add_in);
    let held = |lane: usize| (a[lane] as u16).saturating_add(b[lane] as u16) as i16;
    let add_where = from_fn::<_, 32, _>(|lane| if chosen(lane) { held(lane) } else { a[lane] });
    same!("add_where", stored(l, l.add_where(x, l.mask(bits), y)), add_where);
    Ok(())
}

fn of_totals<L: Lanes>(l: L, numbers: &mut Numbers) -> Result<(), &'static str> {
    let (a, mut b) = (numbers.totals(), numbers.totals());
    for lane in 0..16 {
        b[lane] = if numbers.word() & 3 == 0 { a[lane] } else { b[lane] };
    }
    let (x, y) = (l.load_totals(&a), l.load_totals(&b));
    same!("load_totals", stored_totals(l, x), a);
    same!("no_totals", stored_totals(l, l.no_totals()), [0; 16]);
    same!("splat_totals", stored_totals(l, l.splat_totals(a[0])), [a[0]; 16]);
    same!("sum_totals", stored_totals(l, l.sum_totals(x, y)), each(&a, &b, i32::wrapping_add));
    same!("subtract_totals", stored_totals(l, l.subtract_totals(x, y)), each(&a, &b, i32::wrapping_sub));
    same!("multiply_totals", stored_totals(l, l.multiply_totals(x, y)), each(&a, &b, i32::wrapping_mul));
    same!("min_totals", stored_totals(l, l.min_totals(x, y)), each(&a, &b, i32::min));
    same!("max_totals", stored_totals(l, l.max_totals(x, y)), each(&a, &b, i32::max));
    same!("and_totals", stored_totals(l, l.and_totals(x, y)), each(&a, &b, |a, b| a & b));
    same!("xor_totals", stored_totals(l, l.xor_totals(x, y)), each(&a, &b, |a, b| a ^ b));
    same!("differing_totals", l.differing_totals(x, y), bits_of::<16>(|lane| a[lane] != b[lane]));
    let limit = i32::from(b[0] as i16).saturating_abs();
    same!("beyond", l.beyond(x, limit), bits_of::<16>(|lane| a[lane].saturating_abs() > limit));
    // In fewer and in more rows than there are pairs.
    for (length, first) in [(5, 0), (8, 4), (9, 12)] {
        let mut rows = [[7; 16]; 9];
        l.add_side_by_side(&mut rows[..length], first, x, y);
        for (place, row) in rows.iter().enumerate() {
            let mut expected = [7; 16];
            if place < length.min(8) {
                let terms = [a[2 * place], a[2 * place + 1], b[2 * place], b[2 * place + 1]];
                expected[first..]
                    .iter_mut()
                    .zip(terms)
                    .for_each(|(sum, term)| *sum = term.wrapping_add(*sum));
            }
            same!("add_side_by_side", *row, expected);
        }
    }
    Ok(())
}

fn of_blocks_and_totals<L: Lanes>(l: L, numbers: &mut Numbers) -> Result<(), &'static str> {
    let (t, u, a) = (numbers.totals(), numbers.totals(), numbers.shorts::<32>());
    let (x, block) = (l.load_totals(&t), l.load(&a));
    let terms: [i16; 16] = from_fn(|lane| a[lane]);
    let added = |f: &dyn Fn(usize) -> i32| from_fn::<_, 16, _>(|lane| t[lane].wrapping_add(f(lane)));
    same!("add_totals", stored_totals(l, l.add_totals(x, &terms)), added(&|lane| terms[lane].into()));
    let bytes: [i8; 16] = numbers.bytes();
    same!(
        "add_totals_bytes",
        stored_totals(l, l.add_totals_bytes(x, &bytes)),
        added(&|lane| bytes[lane].into())
    );
    let product = |lane: usize| i32::from(terms[lane]) * i32::from(a[31]);
    same!("add_products", stored_totals(l, l.add_products(x, &terms, a[31])), added(&product));
    let neighbours = |lane: usize| i32::from(a[2 * lane]) + i32::from(a[2 * lane + 1]);
    same!("add_neighbours", stored_totals(l, l.add_neighbours(x, block)), added(&neighbours));
    for (half, totals) in l.widened(block).into_iter().enumerate() {
        let widened = from_fn::<_, 16, _>(|lane| i32::from(a[16 * half + lane]));
        same!("widened", stored_totals(l, totals), widened);
    }
    let limit = i32::from(a[0]).abs();
    let held = l.held_totals([x, l.load_totals(&u)], limit);
    let both = |lane: usize| if lane < 16 { t[lane] } else { u[lane - 16] };
    same!("held_totals", stored(l, held), from_fn::<_, 32, _>(|lane| held_within(both(lane), limit)));
    let mut sums: [i32; 32] = from_fn(both);
    l.accumulate(block, &mut sums);
    same!("accumulate", sums, from_fn::<_, 32, _>(|lane| both(lane).wrapping_add(a[lane].into())));
    Ok(())
}

/// Within ±limit and 16 bits.
fn held_within(number: i32, limit: i32) -> i16 {
    number.clamp(-limit, limit).clamp(i16::MIN.into(), i16::MAX.into()) as i16
}

fn of_draws<L: Lanes>(l: L, numbers: &mut Numbers) -> Result<(), &'static str> {
    let mut dither = Dither::unseeded();
    dither.lanes_mut().iter_mut().for_each(|lane| *lane = numbers.word());
    let (generators, drawn) = l.next_generators(l.load_generators(dither.state()));
    let mut unsigned = [0; 32];
    l.store_unsigned(drawn, &mut unsigned);
    same!("next_generators", unsigned, dither.draw());
    let mut lanes = [0; 16];
    l.store_generators(generators, &mut lanes);
    same!("store_generators", &lanes, dither.state());

    let mut last: [u32; 4] = from_fn(|_| numbers.word());
    let (mut state, mut offsets) = (last, [[[0; 2]; 4]; 3]);
    l.next_offsets(&mut last, &mut offsets);
    for offset in offsets.as_flattened() {
        // xorshift128.
        let t = state[0] ^ state[0] << 11;
        let next = state[3] ^ state[3] >> 19 ^ t ^ t >> 8;
        state = [state[1], state[2], state[3], next];
        same!("next_offsets", *offset, [(next >> 20) as u16, (next >> 4 & 0xFFF) as u16]);
    }
    same!("next_offsets", last, state);
    Ok(())
}

fn of_lists<L: Lanes>(l: L, numbers: &mut Numbers) -> Result<(), &'static str> {
    let draw = u64::from(numbers.word()) | u64::from(numbers.word()) << 32;
    // Few, some, many; none, one and all.
    let bits = match numbers.word() % 8 {
        0 => [0, 1, 1 << 63, u64::MAX][numbers.word() as usize % 4],
        1 | 2 => draw & draw.rotate_left(7) & draw.rotate_left(20),
        3 | 4 => draw | draw.rotate_left(9),
        _ => draw,
    };
    let names: [u16; 32] = from_fn(|_| numbers.word() as u16);
    let (mut chosen, mut numbered) = ([0; 128], [0; 128]);
    l.choose(bits, &names, &mut chosen);
    l.number(bits, 100, &mut numbered);
    for (index, place) in (0..64).filter(|place| bits >> place & 1 != 0).enumerate() {
        same!("choose", chosen[index], names[place & 31]);
        same!("number", numbered[index], 100 + place as u16);
    }
    // None, some, all.
    let density = numbers.word() % 5;
    let words: [u32; 16] = from_fn(|_| if numbers.word() % 4 < density { numbers.word() } else { 0 });
    let (mut found, mut places) = ([0; 16], [0; 16]);
    let end = l.pick(&words, 5, &mut found, &mut places);
    same!("pick", end, words.iter().filter(|&&word| word != 0).count());
    for (index, (place, &word)) in (5..).zip(&words).filter(|(_, word)| **word != 0).enumerate() {
        same!("pick", (found[index], places[index]), (word, place));
    }
    let train: [u32; WORDS] = from_fn(|_| numbers.word());
    for used in [0, 1, 15, 16, 17, 103, numbers.word() as usize % WORDS, WORDS - 1, WORDS] {
        let ones = train[..used].iter().map(|word| word.count_ones()).sum::<u32>();
        same!("count_ones", l.count_ones(&train, used), ones);
    }
    Ok(())
}
