function tests = test_circles()
    tests = {@golden_pixel_counts, @golden_half_pixel_centres, @golden_clipped, @golden_means, @brute_force, ...
             @overlap_counts_twice, @bad_circles_are_refused, @no_circles, @large_sums_are_exact, @means_need_a_cell};
end

function golden_pixel_counts()
    vectors = golden('circle_masks.json');
    check_equal(count([51 51 0], 101), 1);
    check_equal(count([51 51 0.5], 101), 1);
    % The decoder changes "0.5" to a valid field name, so only the whole radii are read from the file here.
    names = fieldnames(vectors.npix_by_radius);
    tested = 0;
    for k = 1:numel(names)
        digits = regexp(names{k}, '^x(\d+)$', 'tokens', 'once');
        if isempty(digits)
            digits = regexp(names{k}, '^(\d+)$', 'tokens', 'once');
        end
        if ~isempty(digits)
            seen = count([51 51 str2double(digits{1})], 101);
            check_equal(seen, vectors.npix_by_radius.(names{k}), ['pixels at radius ' digits{1}]);
            tested = tested + 1;
        end
    end
    check_equal(tested >= 7, true, 'seven radii found');
end

function golden_half_pixel_centres()
    vectors = golden('circle_masks.json');
    for k = 1:numel(vectors.half_pixel_centre)
        vector = vectors.half_pixel_centre(k);
        check_equal(count([vector.centre(:)' + 1, vector.r], 20), vector.npix);
    end
end

function golden_clipped()
    vectors = golden('circle_masks.json');
    for k = 1:numel(vectors.clipped_on_20x20)
        vector = vectors.clipped_on_20x20(k);
        check_equal(count(vector.circle(:)' + [1 1 0], 20), vector.npix, mat2str(vector.circle));
    end
end

function golden_means()
    vectors = golden('circle_masks.json');
    [x, y] = meshgrid(0:9, 0:9);
    circles = [vectors.means.circle(:)' + [1 1 0]; 100 100 3];
    means = roi_compute_means(uint16(10 * y + x), roi_build_circle_indices(circles, [10 10]));
    check_equal(means, single([vectors.means.mean, NaN]));
end

function brute_force()
    [x, y] = meshgrid(1:31, 1:23);
    circles = [rand(40, 1) * 40 - 4, rand(40, 1) * 32 - 4, rand(40, 1) * 12];
    circles = [circles; round(circles)];
    indices = roi_build_circle_indices(circles, [23 31]);
    for k = 1:size(circles, 1)
        expected = find((x - circles(k, 1)).^2 + (y - circles(k, 2)).^2 <= circles(k, 3)^2);
        check_equal(indices{k}, expected(:), mat2str(circles(k, :)));
    end
end

function overlap_counts_twice()
    indices = roi_build_circle_indices([5 5 2; 6 5 2], [10 10]);
    check_equal(numel(intersect(indices{:})) > 0, true);
    check_equal([numel(indices{1}) numel(indices{2})], [13 13]);
end

function bad_circles_are_refused()
    check_error(@() roi_build_circle_indices([1; 2; 3], [10 10]), {'K x 3', 'Transpose'});
    check_error(@() roi_build_circle_indices([1 2 3; 1 2 -1], [10 10]), {'Circle 2', 'radius'});
    check_error(@() roi_build_circle_indices([1 NaN 3], [10 10]), {'Circle 1', 'finite'});
    check_error(@() roi_build_circle_indices([1 1 3], [10 10 3]), {'[height width]'});
end

function no_circles()
    check_equal(roi_build_circle_indices([], [10 10]), cell(0, 1));
    check_equal(size(roi_compute_means(zeros(3), cell(0, 1))), [1 0]);
end

function large_sums_are_exact()
    picture = repmat(uint16(65535), 2000, 2000);
    picture(1) = 65534;
    means = roi_compute_means(picture, {(1:numel(picture))'});
    check_equal(means, single(65535 - 1 / numel(picture)));
end

function means_need_a_cell()
    check_error(@() roi_compute_means(zeros(3), 1:3), {'double', 'cell'});
end

function n = count(circle, width)
    indices = roi_build_circle_indices(circle, [width width]);
    n = numel(indices{1});
end
