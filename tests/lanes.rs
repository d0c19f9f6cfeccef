//! The vectors of this machine do what the trait says, and a network on those that every machine has learns and answers
//! as one without vectors does.

#[path = "lanes/definitions.rs"]
mod definitions;

use apical::data::{Dataset, default_directory};
use apical::model::Model;
use apical::network::OwnedNetwork;
use apical::vector::Path;
use apical::width::Width;
use apical_core::arithmetic::Arithmetic;
use apical_core::kernels::{Baseline, Job, Kernels, Lanes, Plain, THRICE, Vector, draw_places, places_of};
use apical_core::native::{Native, Weight};
use apical_core::parameters::Preset;
use apical_core::random::{Offsets, Stream};
use apical_core::rounding::Rounding;
use apical_core::tables::noise::may_fire_thrice;
use apical_core::tables::psp::Kernel;
use definitions::check;
use rand_core::Rng;

/// Something to be done on the lanes of each path, whose instructions must be switched on for it.
struct Check;

impl Job for Check {
    type Outcome = Result<(), &'static str>;
    #[inline(always)]
    fn work<L: Lanes>(self, lanes: L) -> Self::Outcome {
        pixels_are_found(lanes);
        offsets_are_marked(lanes);
        check(lanes)
    }
}

#[test]
fn every_operation_does_what_it_says() {
    assert_eq!(Check.work(Baseline), Ok(()), "what every machine of this kind has");
    for path in Path::available() {
        let outcome = path.kernels().on_lanes(Check);
        assert_eq!(outcome, if path == Path::Scalar { None } else { Some(Ok(())) }, "{path:?}");
    }
}

/// As many pixels as there is room for, of few and of many that are not black.
fn pixels_are_found<L: Lanes>(lanes: L) {
    let mut draws = Stream::Order.open(9);
    for (length, room) in
        [(0, 8), (1, 8), (31, 40), (32, 32), (33, 2), (784, 800), (1024, 1024), (2100, 2100)]
    {
        for one_in in [1, 2, 7, 3000] {
            let mut grey =
                |_| if draws.next_u32().is_multiple_of(one_in) { draws.next_u32() as u8 } else { 0 };
            let greys: Vec<u8> = (0..length).map(&mut grey).collect();
            let mut names = vec![0; room];
            let found = Vector(lanes).find_active(&greys, &mut names).expect("lanes look at all at once");
            let shown = |&(_, &grey): &(usize, &u8)| grey != 0;
            let expected = greys.iter().enumerate().filter(shown).map(|(name, _)| name as u16);
            let expected: Vec<u16> = expected.take(room).collect();
            assert_eq!(names[..found], expected, "{length} pixels");
        }
    }
}

/// Offsets are those of the stream, and say whether their noise lets anybody fire a third time.
fn offsets_are_marked<L: Lanes>(lanes: L) {
    for (steps, blocks) in [(1, 1), (2, 3), (7, 16), (103, 16), (103, 4), (250, 7)] {
        let mut places = vec![0; steps * places_of(blocks)];
        let (mut one, mut other) = (Stream::Spikes(1).open(5), Stream::Spikes(1).open(5));
        draw_places(lanes, &mut one, steps, blocks, &mut places);
        let mut offsets = Offsets::new(&mut other);
        for place in places {
            let offset = offsets.draw();
            assert_eq!(place & !THRICE, offset);
            assert_eq!(place & THRICE != 0, may_fire_thrice(offset), "offset {offset}");
        }
        assert_eq!(one, other);
    }
}

/// What a network has learnt, and answered.
type Outcome = (u64, Vec<usize>);

/// Learns 60 examples and is tested on 20.
fn learnt<A: Arithmetic>(
    arithmetic: A,
    model: &Model,
    layer: impl Fn(usize) -> A::Coefficients,
    data: &Dataset,
) -> Outcome {
    let mut network = OwnedNetwork::new(arithmetic, model, layer);
    for example in 0..60 {
        let (image, label) = (data.train.image(example), usize::from(data.train.labels[example]));
        network.with(|network| network.train(image, label, &mut ()));
    }
    let digest = network.digest();
    let answer =
        |index| network.with(|network| network.test(data.test.image(index), 100, (1, index as u32), &mut ()));
    (digest, (0..20).map(answer).collect())
}

/// The same in compiled-in formats.
fn native<K: Kernels, W: Weight>(kernels: K, model: &Model, width: Width, data: &Dataset) -> Outcome {
    let layer = |number| model.native(number, width, Rounding::Stochastic).coefficients();
    learnt(Native::<K, W>::new(kernels), model, layer, data)
}

#[test]
fn networks_on_what_every_machine_has_keep_the_bits() {
    let data = Dataset::load(&default_directory()).expect("shipped data");
    for sizes in [&[784, 10][..], &[784, 170, 10], &[784, 100, 33, 10]] {
        let model = Model {
            sizes: sizes.to_vec(),
            kernel: Kernel::Scaled,
            preset: Preset::May2017,
            learning_rates: vec![0.21; sizes.len() - 1],
            seed: 6,
        };
        let plain = native::<_, i16>(Plain, &model, Width::SIXTEEN, &data);
        assert_eq!(
            native::<_, i16>(Vector(Baseline), &model, Width::SIXTEEN, &data),
            plain,
            "{sizes:?}, 16 bits"
        );
        let plain = native::<_, i8>(Plain, &model, Width::EIGHT, &data);
        assert_eq!(
            native::<_, i8>(Vector(Baseline), &model, Width::EIGHT, &data),
            plain,
            "{sizes:?}, 8 bits"
        );
    }
}
