/// What a tensor's rows and columns are multiplied by.
package struct ChannelScaling: Sendable, Equatable {
    /// One factor for each row, in canonical order; nil leaves the rows as they are.
    package var rows: [Float]?
    /// One factor for each column; nil leaves the columns as they are.
    package var columns: [Float]?

    package init(rows: [Float]? = nil, columns: [Float]? = nil) {
        self.rows = rows
        self.columns = columns
    }
}
