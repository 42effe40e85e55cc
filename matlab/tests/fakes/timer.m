classdef timer < handle
    % MATLAB's timer as far as RoiStreamRun uses it; the test calls fire() by hand.

    properties
        Tag = ''
        UserData
        TimerFcn
        Running = 'off'
        serial
    end

    methods

        function self = timer(varargin)
            for k = 1:2:numel(varargin)
                if isprop(self, varargin{k})
                    self.(varargin{k}) = varargin{k + 1};
                end
            end
            self.serial = rand();
            timers_in_test('add', self);
        end

        function start(self)
            self.Running = 'on';
        end

        function stop(self)
            self.Running = 'off';
        end

        function value = get(self, name)
            value = self.(name);
        end

        function fire(self)
            action = self.TimerFcn;
            action(self, []);
        end

        function delete(self)
            timers_in_test('remove', self);
        end

    end
end
