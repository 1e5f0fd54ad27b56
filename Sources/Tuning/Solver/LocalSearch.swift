/// Makes selections that keep the limits, and better ones of them: repair, greedy fill and exchanges of pairs.
struct LocalSearch {
    let instance: KnapsackInstance
    /// Which items may be taken; the others cannot be part of a better selection.
    var isOpen: [Bool]

    /// A selection under change, with its sums.
    private struct State {
        var selection: [Int]
        var sums: [Double]
    }

    init(_ instance: KnapsackInstance) {
        self.instance = instance
        isOpen = [Bool](repeating: true, count: instance.values.count)
    }

    /// Changes single groups, those first that lose least for what they take off the excess, until the limits are kept.
    /// Returns the last selection, which still exceeds a limit where no single change helps.
    func repaired(_ selection: [Int]) -> [Int] {
        var state = State(selection: selection, sums: instance.sums(of: selection))
        var excess = instance.excess(state.sums)
        while excess > 0 {
            var best: (group: Int, item: Int, excess: Double)?
            var bestScore = Double.infinity
            for (group, current) in state.selection.enumerated() {
                for item in instance.items(of: group) where item != current {
                    let left = excessAfter(state.sums, from: current, to: item)
                    guard left < excess else { continue }
                    let loss = instance.values[item] - instance.values[current]
                    let score = loss > 0 ? loss / (excess - left) : loss
                    if score < bestScore {
                        bestScore = score
                        best = (group, item, left)
                    }
                }
            }
            guard let best else { break }
            state.sums = moved(state.sums, from: state.selection[best.group], to: best.item)
            state.selection[best.group] = best.item
            // Summed anew at the end of a repair, so that rounding does not hide a limit that is missed by a bit.
            excess = best.excess > 0 ? best.excess : instance.excess(instance.sums(of: state.selection))
            if best.excess <= 0, excess > 0 { break }
        }
        return state.selection
    }

    /// Improves a selection that keeps the limits by single changes and by exchanges between two groups, until none helps
    /// or as many have been made as there are groups.
    func improved(_ selection: [Int], pairs: Bool) -> [Int] {
        var state = State(selection: selection, sums: instance.sums(of: selection))
        for _ in 0..<4 * instance.groups {
            if let (group, item) = bestSingle(state) {
                change(&state, group, item)
            } else if pairs, let (first, second) = firstPair(state) {
                change(&state, first.group, first.item)
                change(&state, second.group, second.item)
            } else {
                break
            }
        }
        return state.selection
    }

    private func change(_ state: inout State, _ group: Int, _ item: Int) {
        state.selection[group] = item
        state.sums = instance.sums(of: state.selection)
    }

    private func moved(_ sums: [Double], from current: Int, to item: Int) -> [Double] {
        let count = instance.keys.count
        var result = sums
        for slot in 0..<count {
            result[slot] += instance.weights[item * count + slot] - instance.weights[current * count + slot]
        }
        return result
    }

    /// The excess when `current` gives way to `item`.
    private func excessAfter(_ sums: [Double], from current: Int, to item: Int) -> Double {
        let count = instance.keys.count
        var result = 0.0
        for slot in 0..<count {
            let change = instance.weights[item * count + slot] - instance.weights[current * count + slot]
            result += max(0, sums[slot] + change - instance.limits[slot]) / instance.scales[slot]
        }
        return result
    }

    private func fits(_ sums: [Double], from current: Int, to item: Int) -> Bool {
        let count = instance.keys.count
        for slot in 0..<count {
            let change = instance.weights[item * count + slot] - instance.weights[current * count + slot]
            if sums[slot] + change > instance.limits[slot] { return false }
        }
        return true
    }

    /// The single change that gains most.
    private func bestSingle(_ state: State) -> (group: Int, item: Int)? {
        var best: (group: Int, item: Int)?
        var most = 0.0
        for (group, current) in state.selection.enumerated() {
            for item in instance.items(of: group) where isOpen[item] {
                let gain = instance.values[current] - instance.values[item]
                if gain > most, fits(state.sums, from: current, to: item) {
                    most = gain
                    best = (group, item)
                }
            }
        }
        return best
    }

    /// The best partner of the first change that has one.
    private func firstPair(_ state: State) -> (first: (group: Int, item: Int), second: (group: Int, item: Int))? {
        for (group, current) in state.selection.enumerated() {
            for item in instance.items(of: group) where isOpen[item] && item != current {
                let sums = moved(state.sums, from: current, to: item)
                let gain = instance.values[current] - instance.values[item]
                var most = -gain + 1e-12 * abs(gain)
                var partner: (group: Int, item: Int)?
                for (other, held) in state.selection.enumerated() where other != group {
                    for candidate in instance.items(of: other) where isOpen[candidate] {
                        let second = instance.values[held] - instance.values[candidate]
                        if second > most, fits(sums, from: held, to: candidate) {
                            most = second
                            partner = (other, candidate)
                        }
                    }
                }
                if let partner { return ((group, item), partner) }
            }
        }
        return nil
    }
}
