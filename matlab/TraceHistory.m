classdef TraceHistory < handle
    % The last rows of the ROI means, for drawing while frames come.
    %
    %   history = TraceHistory(600, 5)         600 rows, 5 ROIs
    %   history.add(time, means)
    %   [time, means] = history.recent()       oldest first, n x 1 and n x K

    properties (Access = private)
        times
        means
        added = 0
    end

    methods

        function self = TraceHistory(rows, count)
            self.times = nan(rows, 1);
            self.means = nan(rows, count);
        end

        function add(self, time, means)
            row = mod(self.added, numel(self.times)) + 1;
            self.times(row) = time;
            self.means(row, :) = means;
            self.added = self.added + 1;
        end

        function [time, means] = recent(self)
            rows = numel(self.times);
            count = min(self.added, rows);
            order = mod(self.added - count:self.added - 1, rows) + 1;
            time = self.times(order);
            means = self.means(order, :);
        end

    end
end
